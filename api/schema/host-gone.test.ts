import { join } from 'node:path';
import { graphql } from 'graphql';
import { expect, test } from 'vitest';
import { dataOf, openTestApi, submitMutation } from '../../test/support/api.ts';
import { openCountedIndex } from '../../test/support/counted-index.ts';
import { hostId, result } from '../../test/support/reports.ts';
import { everyone } from '../auth/identity.ts';
import { makeContext } from '../context.ts';
import { maskError } from '../error-codes.ts';
import { buildSchema } from './schema.ts';

test('a host that goes while its reports and changes are read is told, and one whose reports stay is a bug of ours', async () => {
  const api = await openTestApi();
  for (const kernel of ['6.1', '6.2']) {
    const host = { id: hostId(1), name: 'web-1' };
    const input = {
      host,
      collectedAt: `2026-05-01T00:0${kernel.at(-1)}:00Z`,
      results: [result('os', { kernel })],
    };
    await dataOf(api.ask(submitMutation, { input }));
  }
  const { index, close } = openCountedIndex(join(api.folder, 'index.db'));
  const none = async (ids: readonly string[]) => ids.map(() => null);
  const ask = async (source: string, lacking: object) => {
    const services = {
      ...{ index: { forRequest: () => ({ ...index, ...lacking }) }, queryTimeoutMs: 60_000, plugins: [] },
      now: () => Date.parse('2026-05-02T00:00:00Z'),
    };
    const contextValue = makeContext(services as never, { signal: new AbortController().signal }, everyone);
    const { errors = [] } = await graphql({ schema: buildSchema([]), source, contextValue });
    return errors.map((error) => maskError(error, 'Unexpected error.'));
  };
  const gone = {
    message: `host ${hostId(1)} is not there any more: it was removed or relabelled while it was read; ask again`,
    extensions: { code: 'UNAVAILABLE', retryAfter: 1 },
  };
  for (const query of [
    '{ reports(first: 1) { nodes { id host { id } } } }',
    '{ changes { nodes { path host { id } } } }',
  ]) {
    expect(await ask(query, { hostsById: none, reportsById: none })).toMatchObject([gone]);
    // The host alone is lost: the index is damaged.
    expect(await ask(query, { hostsById: none })).toMatchObject([
      { message: 'Unexpected error.', extensions: { code: 'INTERNAL_SERVER_ERROR' } },
    ]);
  }
  await close();
});
