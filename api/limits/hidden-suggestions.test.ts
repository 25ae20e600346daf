import { beforeAll, describe, expect, test } from 'vitest';
import { loadBuiltinPlugins } from '../../plugins/index.ts';
import { openTestApi, type TestApi } from '../../test/support/api.ts';
import { serverOf } from '../../test/support/bare-server.ts';
import { buildSchema } from '../schema/schema.ts';
import { everything } from '../server.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openTestApi();
});

describe('suggestions', () => {
  const query = '{ hostz hosts(filter: { nam: null }) { nodes { ide } } }';

  test('are told where the schema may be known', async () => {
    const { errors } = await api.ask(query);
    expect(errors?.map(({ message }) => message).join()).toMatch(/Did you mean "host" or "hosts"\?/);
  });

  test('are not told where it is hidden: in documents, in values, in variables', async () => {
    const server = serverOf(buildSchema(await loadBuiltinPlugins()), {
      offered: { ...everything, introspection: false },
    });
    const ask = async (body: object) => {
      const headers = { 'content-type': 'application/json' };
      const init = { method: 'POST', headers, body: JSON.stringify(body) };
      const { errors } = await (await server.fetch('http://api.test/graphql', init)).json();
      return errors.map(({ message }: { message: string }) => message);
    };
    expect(await ask({ query })).toEqual([
      'Cannot query field "hostz" on type "Query".',
      'filter.nam: Field "nam" is not defined by type "HostFilter".',
      'Cannot query field "ide" on type "Host".',
    ]);
    const withVariable = 'query ($f: HostFilter) { hosts(filter: $f) { totalCount } }';
    expect(await ask({ query: withVariable, variables: { f: { nam: 1 } } })).toEqual([
      'filter: Field "nam" is not defined by type "HostFilter".',
    ]);
  });
});
