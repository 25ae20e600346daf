import { expect, test } from 'vitest';
import { openTestApi, submitMutation } from '../../test/support/api.ts';
import { apiLog } from '../../test/support/api-log.ts';
import { hostId } from '../../test/support/reports.ts';
import { openFolderBucket } from '../bucket/folder-bucket.ts';
import { openCredentials } from './credentials.ts';
import { toDraft } from './draft.ts';

test('a subscription ends, and tells nothing, once the token it began with is revoked', async () => {
  const api = await openTestApi({ authentication: { isRequired: true } });
  const bucket = await openFolderBucket(`${api.folder}/bucket`);
  const credentials = openCredentials({ bucket, logger: apiLog().logger });
  const make = async (...scopes: string[]) => {
    const rest = { hostId: null, labels: null, expiresAt: null, uses: null, createdBy: null };
    const draft = toDraft({ name: scopes.join(), kind: 'token', scopes, ...rest }, Date.now());
    return credentials.create(draft);
  };
  const [reader, boss] = [await make('read'), await make('admin')];
  const send = (secret: string, query: string, variables: object = {}, accept = 'application/json') =>
    api.fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept, authorization: `Bearer ${secret}` },
      body: JSON.stringify({ query, variables }),
    });
  const report = (number: number) => ({
    input: {
      host: { id: hostId(number), name: `web-${number}` },
      collectedAt: '2026-05-01T10:00:00Z',
      results: [],
    },
  });
  const stream = await send(
    reader.secret,
    'subscription { reportSubmitted { host { name } } }',
    {},
    'text/event-stream',
  );
  const text = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
  let told = '';
  const readUntil = async (pattern: RegExp) => {
    while (!pattern.test(told)) {
      const { value = '', done } = (await text?.read()) ?? { done: true };
      told += value;
      if (done) return;
    }
  };
  // Until it is subscribed nothing comes of what is sent.
  const sent = setInterval(() => send(boss.secret, submitMutation, report(1)), 200);
  await readUntil(/web-1/);
  clearInterval(sent);
  const id = reader.credential.id;
  const revoked = await send(boss.secret, 'mutation ($id: UUID!) { revokeToken(id: $id) }', { id });
  expect(await revoked.json()).toEqual({ data: { revokeToken: true } });
  await send(boss.secret, submitMutation, report(2));
  await readUntil(/UNAUTHENTICATED/);
  expect(told).not.toContain('web-2');
  expect(told).toContain('good no more');
});
