/** People and services that an identity provider knows, at a real server: let in, kept out, and while the provider is away. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startApi } from '../support/api-process.ts';
import { eventually } from '../support/eventually.ts';
import { signToken, startIssuer } from '../support/issuer.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

async function ask(url: string, authorization: string, query: string) {
  const headers = { 'content-type': 'application/json', authorization };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query }) });
  // The body has a status of its own, for clients of the Python system.
  return { ...(await response.json()), status: response.status, headers: response.headers };
}

/** All that lies in files under a folder. */
async function textIn(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const texts = files.map(({ parentPath, name }) => readFile(join(parentPath, name), 'latin1'));
  return (await Promise.all(texts)).join('\n');
}

test('its tokens let in whom they are for; while it is away those it has vouched for go on', async () => {
  const folder = await temporaryFolder();
  const issuer = await startIssuer();
  const key = await issuer.addKey('a');
  const sign = (claims: object = {}, header: object = {}) =>
    signToken(key, issuer.url, {
      now: Date.now(),
      claims: { preferred_username: 'ada', realm_access: { roles: ['engineers'] }, ...claims },
      header: { ...header },
    });
  const env = {
    AUTH: 'required',
    OIDC_ISSUER: issuer.url,
    OIDC_AUDIENCE: 'inventory',
    OIDC_SCOPES_CLAIM: 'realm_access.roles',
    OIDC_SCOPES: 'engineers=read,inventory-admins=admin',
  };
  const api = await startApi(folder, { env });

  const reader = await sign();
  const whoAmI = '{ viewer { kind id name scopes } hosts { totalCount } }';
  const seen = {
    viewer: { kind: 'PERSON', id: 'u-1', name: 'ada', scopes: ['READ'] },
    hosts: { totalCount: 0 },
  };
  expect(await ask(api.url, `Bearer ${reader}`, whoAmI)).toMatchObject({ status: 200, data: seen });
  const basic = `Basic ${Buffer.from(`ada:${reader}`).toString('base64')}`;
  expect(await ask(api.url, basic, whoAmI)).toMatchObject({ status: 200, data: seen });
  expect(await ask(api.url, `Bearer ${reader}`, '{ tokens { id } }')).toMatchObject({
    errors: [{ extensions: { code: 'FORBIDDEN', scope: 'admin' } }],
  });
  const admin = await sign({ sub: 'u-2', realm_access: { roles: ['inventory-admins'] } });
  expect(await ask(api.url, `Bearer ${admin}`, '{ tokens { id } }')).toMatchObject({ data: { tokens: [] } });

  const [, body, signature] = reader.split('.');
  const none = Buffer.from('{"alg":"none","kid":"a"}').toString('base64url');
  const publicKey = new TextEncoder().encode(JSON.stringify(issuer.keys[0]));
  const wrong: [string, RegExp][] = [
    [await sign({ aud: 'payroll' }), /"reason":".*aud.* claim/],
    [await sign({ iss: 'https://elsewhere.example.org' }), /"reason":".*iss.* claim/],
    [await sign({ cnf: { jkt: 'x' } }), /"reason":"it is bound to a key/],
    [`${none}.${body}.`, /"reason":".*alg/i],
    [
      `${reader.split('.')[0]}.${Buffer.from('{"sub":"u-1"}').toString('base64url')}.${signature}`,
      /signature/,
    ],
    [
      await signToken(publicKey, issuer.url, { now: Date.now(), header: { alg: 'HS256' } }),
      /"reason":".*alg/i,
    ],
  ];
  for (const [token, reason] of wrong) {
    const before = api.output().length;
    const { status, errors } = await ask(api.url, `Bearer ${token}`, whoAmI);
    // All are told the same; only the log says why.
    expect({ status, errors }).toEqual({
      status: 401,
      errors: [{ message: 'these credentials are not known here', extensions: { code: 'UNAUTHENTICATED' } }],
    });
    await eventually('the log says why', () => reason.test(api.output().slice(before)));
  }

  await issuer.stop();
  expect(await ask(api.url, `Bearer ${reader}`, whoAmI)).toMatchObject({ status: 200, data: seen });

  // One that has never heard of its keys starts all the same, and says what it waits for.
  const other = await startApi(folder, { env: { ...env, INDEX_URL: `sqlite:${folder}/other.db` } });
  const { status, headers, errors } = await ask(other.url, `Bearer ${reader}`, whoAmI);
  expect({ status, errors }).toEqual({
    status: 503,
    errors: [
      {
        message: 'the identity provider does not answer: try again later',
        extensions: { code: 'UNAVAILABLE' },
      },
    ],
  });
  expect(headers.get('retry-after')).toBe('5');
  await other.waitFor(/"msg":"the identity provider does not answer"/);

  for (const { child } of [api, other]) child.kill('SIGTERM');
  await Promise.all([api.exit, other.exit]);
  const kept = api.output() + other.output() + (await textIn(folder));
  expect(kept).toContain('auth.refused');
  for (const token of [reader, admin, ...wrong.map(([token]) => token)]) {
    // Each part by itself: a signature alone is enough to go on with.
    for (const part of token.split('.').slice(1).filter(Boolean)) expect(kept).not.toContain(part);
  }
});
