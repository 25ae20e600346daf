import { beforeEach, describe, expect, test } from 'vitest';
import { dataOf, openTestApi, submitMutation, type TestApi } from '../../test/support/api.ts';
import { hostId } from '../../test/support/reports.ts';

let api: TestApi;
let submitted = 0;

/** Sends a report; several share an instant, so that ids must tell them apart. */
async function submit(minute: number): Promise<void> {
  const collectedAt = new Date(Date.UTC(2026, 4, 1, 10, minute)).toISOString();
  const host = { id: hostId(1 + (submitted++ % 3)), name: 'same-name' };
  await dataOf(api.ask(submitMutation, { input: { host, collectedAt, results: [] } }));
}

const query = `query ($orderBy: ReportOrder, $first: Int, $after: String, $last: Int, $before: String) {
  reports(orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
    totalCount
    nodes { id }
    edges { cursor node { id } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`;

async function page(variables: Record<string, unknown> = {}) {
  const { reports } = await dataOf(api.ask(query, variables));
  return { ...reports, ids: reports.nodes.map(({ id }: { id: string }) => id) };
}

beforeEach(async () => {
  submitted = 0;
  api = await openTestApi();
  for (const minute of [3, 1, 2, 1, 3, 2, 2, 1, 3, 3]) await submit(minute);
});

describe('pages of reports', () => {
  const orders = ['COLLECTED_AT', 'RECEIVED_AT'].flatMap((field) =>
    ['ASC', 'DESC'].flatMap((direction) =>
      [1, 3, 10, 11].map((size) => ({ orderBy: { field, direction }, size })),
    ),
  );

  test.each(orders)('walk the whole list forwards and backwards: %j', async ({ orderBy, size }) => {
    const all = (await page({ orderBy, first: 1000 })).ids;
    expect(new Set(all).size).toBe(10);

    const forwards: string[] = [];
    for (let after: string | null = null, more = true; more; ) {
      const { ids, pageInfo, totalCount } = await page({ orderBy, first: size, after });
      forwards.push(...ids);
      expect(totalCount).toBe(10);
      expect(pageInfo.hasPreviousPage).toBe(after !== null);
      more = pageInfo.hasNextPage;
      expect(more).toBe(forwards.length < 10);
      after = pageInfo.endCursor;
    }
    expect(forwards).toEqual(all);

    const backwards: string[] = [];
    for (let before: string | null = null, more = true; more; ) {
      const { ids, pageInfo } = await page({ orderBy, last: size, before });
      backwards.unshift(...ids);
      expect(pageInfo.hasNextPage).toBe(before !== null);
      more = pageInfo.hasPreviousPage;
      expect(more).toBe(backwards.length < 10);
      before = pageInfo.startCursor;
    }
    expect(backwards).toEqual(all);
  });

  test('neither repeat nor skip what was there when reports arrive between pages', async () => {
    const before = (await page({ first: 1000 })).ids;
    const seen: string[] = [];
    for (let after: string | null = null, more = true; more; ) {
      const { ids, pageInfo } = await page({ first: 2, after });
      seen.push(...ids);
      more = pageInfo.hasNextPage;
      after = pageInfo.endCursor;
      // Newer, older and in between: an offset would now point elsewhere.
      for (const minute of [9, 0, 2]) await submit(minute);
      if (seen.length > 60) throw new Error('pages do not end');
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.filter((id) => before.includes(id))).toEqual(before);
  });

  test('have the newest collected first if not told otherwise, and edges with the same nodes', async () => {
    const { ids, edges } = await page();
    const { reports } = await dataOf(api.ask('{ reports { nodes { id collectedAt } } }'));
    const times = reports.nodes.map(({ collectedAt }: { collectedAt: string }) => collectedAt);
    expect(times).toEqual(times.toSorted().toReversed());
    expect(edges.map(({ node }: { node: { id: string } }) => node.id)).toEqual(ids);
  });

  test('between two cursors hold just what lies there', async () => {
    const { ids, edges } = await page({ first: 10 });
    const found = await page({ first: 10, after: edges[1].cursor, before: edges[6].cursor });
    expect(found.ids).toEqual(ids.slice(2, 6));
  });

  test('of size 0 are empty and still know whether there is more', async () => {
    const { ids, pageInfo } = await page({ first: 0 });
    expect(ids).toEqual([]);
    expect(pageInfo).toEqual({
      hasNextPage: true,
      hasPreviousPage: false,
      startCursor: null,
      endCursor: null,
    });
  });

  const anotherOrder = Buffer.from(JSON.stringify(['NAME', 'ASC', 'x', hostId(1)])).toString('base64url');
  test.each([
    [{ first: -1 }, ['first']],
    [{ last: 1001 }, ['last']],
    [{ first: 1, last: 1 }, ['last']],
    [{ after: 'no cursor' }, ['after']],
    [{ before: Buffer.from('[1]').toString('base64url') }, ['before']],
    [{ after: anotherOrder }, ['after']],
  ])('%j is told to be wrong, and where', async (variables, path) => {
    const { errors } = await api.ask(query, variables);
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', path });
  });

  test('a cursor with a value that its order cannot have is none', async () => {
    for (const value of ['zzz', null]) {
      const after = Buffer.from(JSON.stringify(['COLLECTED_AT', 'DESC', value, hostId(1)])).toString(
        'base64url',
      );
      const { errors } = await api.ask(query, { after });
      expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', path: ['after'] });
    }
  });

  test('a cursor of one direction is not taken for the other', async () => {
    const { pageInfo } = await page({ first: 2, orderBy: { direction: 'ASC' } });
    const { errors } = await api.ask(query, {
      first: 2,
      after: pageInfo.endCursor,
      orderBy: { direction: 'DESC' },
    });
    expect(errors?.[0]?.message).toContain('COLLECTED_AT ASC');
  });
});

test('hosts of one name are paged by their ids', async () => {
  const seen: string[] = [];
  for (let after: string | null = null, more = true; more; ) {
    const hostQuery =
      'query ($after: String) { hosts(first: 1, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }';
    const { hosts } = await dataOf(api.ask(hostQuery, { after }));
    seen.push(...hosts.nodes.map(({ id }: { id: string }) => id));
    more = hosts.pageInfo.hasNextPage;
    after = hosts.pageInfo.endCursor;
  }
  expect(seen).toEqual([hostId(1), hostId(2), hostId(3)]);
});

test("a host's reports are its own", async () => {
  const { hosts } = await dataOf(
    api.ask('{ hosts { nodes { id reports(first: 2) { totalCount nodes { host { id } } } } } }'),
  );
  for (const { id, reports } of hosts.nodes) {
    expect(reports.nodes).toEqual([{ host: { id } }, { host: { id } }]);
    expect(reports.totalCount).toBe(id === hostId(1) ? 4 : 3);
  }
});
