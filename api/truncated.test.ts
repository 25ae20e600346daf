/** Lists inside facts are never cut short without a word. */
import { beforeAll, expect, test } from 'vitest';
import { openTestApi, submitMutation, type TestApi } from '../test/support/api.ts';
import { hostId, result } from '../test/support/reports.ts';

let api: TestApi;
const count = 1_200;
const names = Array.from({ length: count }, (_, number) => `veth${number}`);

beforeAll(async () => {
  api = await openTestApi();
  for (const [number, own] of [names, names.slice(0, 1_000)].entries()) {
    const facts = { interfaces: own.map((name) => ({ name })), dnsServers: [] };
    const input = {
      host: { id: hostId(number), name: `web-${number}` },
      collectedAt: '2026-05-01T00:00:00Z',
      results: [result('network', facts)],
    };
    expect((await api.ask(submitMutation, { input })).errors).toBeUndefined();
  }
});

const answer = async (args: string) => {
  const query = `{ hosts(first: 2) { nodes { network { list: interfaces${args} { name } } } } }`;
  const { data, extensions } = (await api.ask(query)) as Awaited<ReturnType<TestApi['ask']>> & {
    extensions?: { truncated: unknown };
  };
  const lists = data.hosts.nodes.map(({ network }: { network: { list: { name: string }[] } }) =>
    network.list.map(({ name }) => name),
  );
  return { lists, truncated: extensions?.truncated };
};

const path = ['hosts', 'nodes', 0, 'network', 'list'];

test('what is cut is marked, where and how much; what fits is not', async () => {
  const { lists, truncated } = await answer('');
  expect(lists).toEqual([names.slice(0, 1_000), names.slice(0, 1_000)]);
  expect(truncated).toEqual([{ path, shown: 1_000, of: count }]);
  expect(await answer('(offset: 100)')).toMatchObject({
    lists: [names.slice(100, 1_100), names.slice(100, 1_000)],
    truncated: [{ path, shown: 1_000, of: count }],
  });
});

test.each([
  ['(first: 0)', 0, 0],
  ['(first: 5)', 0, 5],
  ['(first: 5, offset: 998)', 998, 1_003],
  ['(first: 10000)', 0, count],
  ['(first: 10, offset: 5000)', 5_000, 5_010],
  ['(offset: 1199)', 1_199, count],
])('%s: as many as were asked for, and no mark', async (args, from, to) => {
  const { lists, truncated } = await answer(args);
  expect(lists).toEqual([names.slice(from, to), names.slice(0, 1_000).slice(from, to)]);
  expect(truncated).toBeUndefined();
});
