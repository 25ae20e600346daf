import { describe, expect, test } from 'vitest';
import { factSetHash } from '../../plugins/fact-set.ts';
import { dataOf, openTestApi, submitMutation, type TestApi } from '../../test/support/api.ts';
import { hostId } from '../../test/support/reports.ts';
import { readStoredIn } from '../../test/support/stored.ts';
import type { Bucket } from '../bucket/bucket.ts';
import { Failure } from '../failure.ts';

const id = (number: number) => `0198f3a0-0000-7000-9000-${String(number).padStart(12, '0')}`;
const facts = { kernel: '6.1.90', platform: 'linux', list: [{ b: 1, a: null }] };
const os = { plugin: 'os', version: 1, status: 'OK', facts, readings: { uptimeSeconds: 5 } };
const hashed = { ...os, facts: undefined, factsHash: factSetHash('os', facts) };

function input(number: number, more: Record<string, unknown> = {}) {
  const host = { id: hostId(1), name: 'web-1', labels: {} };
  const collectedAt = `2026-05-01T12:00:${String(number).padStart(2, '0')}Z`;
  return { id: id(number), host, collectedAt, results: [os], ...more };
}

const manyMutation = /* GraphQL */ `
  mutation Submit($inputs: [SubmitReportInput!]!) {
    submitReports(inputs: $inputs) {
      payload { duplicate report { id } }
      error { code message path retryAfterSeconds }
    }
  }
`;
const submit = (api: TestApi, ...inputs: object[]) => api.ask(manyMutation, { inputs });
const outcomes = async (api: TestApi, ...inputs: object[]) =>
  (await dataOf(submit(api, ...inputs))).submitReports;
const storedIn = async ({ folder }: TestApi) => readStoredIn(`${folder}/bucket`);

describe('many reports at once', () => {
  test('are stored in one segment, answered in their order, and known when they are sent again', async () => {
    const api = await openTestApi();
    const inputs = [3, 1, 2].map((number) => input(number));
    const taken = (duplicate: boolean) =>
      [3, 1, 2].map((number) => ({ payload: { duplicate, report: { id: id(number) } }, error: null }));
    expect(await outcomes(api, ...inputs)).toEqual(taken(false));
    const copies = [...(await storedIn(api)).values()].flat();
    expect(new Set(copies.map(({ key }) => key)).size).toBe(1);
    expect(await outcomes(api, ...inputs)).toEqual(taken(true));
    expect((await storedIn(api)).size).toBe(3);
  });

  test('one that is refused costs none of the others, and is told its place', async () => {
    const api = await openTestApi();
    const [first, second, third] = await outcomes(
      api,
      input(1),
      input(2, { results: [os, os] }),
      input(3, { droppedReports: 4 }),
    );
    expect([first.error, third.error]).toEqual([null, null]);
    expect(second).toEqual({
      payload: null,
      error: {
        code: 'BAD_USER_INPUT',
        message: 'inputs[1].results[1].plugin: "os" is there twice',
        path: ['inputs', '1', 'results', '1', 'plugin'],
        retryAfterSeconds: null,
      },
    });
    expect([...(await storedIn(api)).keys()].toSorted()).toEqual([id(1), id(3)]);
  });

  test('a bucket that fails is told for each of them, without its internals', async () => {
    const wrapBucket = (bucket: Bucket): Bucket => ({
      ...bucket,
      put: () => Promise.reject(new Failure('UNAVAILABLE', 'cannot put secret', { retryAfterSeconds: 7 })),
    });
    const api = await openTestApi({ wrapBucket });
    const answer = await outcomes(api, input(1), input(2));
    expect(answer).toMatchObject(
      [1, 2].map(() => ({ error: { code: 'UNAVAILABLE', retryAfterSeconds: 7 } })),
    );
    expect(JSON.stringify(answer)).not.toContain('secret');
  });

  test('are at most a thousand', async () => {
    const api = await openTestApi();
    const { errors } = await submit(api, ...Array.from({ length: 1001 }, () => input(1)));
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', path: ['inputs'] });
  });

  test('cost what is asked about each of them', async () => {
    const api = await openTestApi();
    const query = manyMutation.replace('{ id }', '{ host { reports(first: 100) { nodes { id } } } }');
    const { errors } = await api.ask(query, { inputs: Array.from({ length: 300 }, () => input(1)) });
    expect(errors?.[0]?.message).toContain('the query may cost');
    expect((await storedIn(api)).size).toBe(0);
  });
});

describe('facts by their hash', () => {
  test('are stored whole, as the host told them before', async () => {
    const api = await openTestApi();
    await dataOf(api.ask(submitMutation, { input: input(1) }));
    const second = input(2, { results: [hashed, { plugin: 'cpu', status: 'OK', facts: { threads: 2 } }] });
    expect((await dataOf(api.ask(submitMutation, { input: second }))).submitReport.duplicate).toBe(false);
    const [copy] = (await storedIn(api)).get(id(2)) ?? [];
    expect(copy?.report.results).toMatchObject([
      { plugin: 'os', facts, readings: { uptimeSeconds: 5 } },
      { plugin: 'cpu', facts: { threads: 2 } },
    ]);
    expect(copy?.report).not.toHaveProperty('results.0.factsHash');
    const query = 'query ($id: UUID!) { report(id: $id) { os { kernel } changes { totalCount } } }';
    expect(await dataOf(api.ask(query, { id: id(2) }))).toEqual({
      report: { os: { kernel: '6.1.90' }, changes: { totalCount: 0 } },
    });
  });

  test('that are not known are asked for whole, and nothing is stored', async () => {
    const api = await openTestApi();
    const { errors } = await api.ask(submitMutation, { input: input(1, { results: [hashed] }) });
    expect(errors?.[0]).toMatchObject({
      message: expect.stringContaining('(os)'),
      extensions: { code: 'FACTS_UNKNOWN', path: ['input', 'results', 0, 'factsHash'] },
    });
    expect((await storedIn(api)).size).toBe(0);
  });

  test('of another host are not known, whoever has their hash', async () => {
    const api = await openTestApi();
    await dataOf(api.ask(submitMutation, { input: input(1) }));
    // A host that the index knows, and one that it does not.
    const host = { id: hostId(2), name: 'web-2' };
    await dataOf(api.ask(submitMutation, { input: input(2, { host, results: [] }) }));
    const stranger = { id: hostId(3), name: 'web-3' };
    const answer = await outcomes(
      api,
      input(3, { host, results: [hashed] }),
      input(4, { host: stranger, results: [hashed] }),
      input(5, { results: [hashed] }),
    );
    expect(answer.map(({ error }: { error: { code: string } | null }) => error?.code)).toEqual([
      'FACTS_UNKNOWN',
      'FACTS_UNKNOWN',
      undefined,
    ]);
  });

  test('that grow beyond what a request may hold are asked for whole', async () => {
    const api = await openTestApi();
    const large = { text: 'x'.repeat(6 * 1024 * 1024) };
    const whole = { plugin: 'rack', status: 'OK', facts: large };
    await dataOf(api.ask(submitMutation, { input: input(1, { results: [whole] }) }));
    const short = { plugin: 'rack', status: 'OK', factsHash: factSetHash('rack', large) };
    const answer = await outcomes(
      api,
      ...[2, 3, 4].map((number) => input(number, { results: [short] })),
      input(5, { results: [] }),
    );
    expect(answer.map(({ error }: { error: { code: string } | null }) => error?.code ?? 'stored')).toEqual([
      'stored',
      'stored',
      'FACTS_UNKNOWN',
      'stored',
    ]);
  });

  test.each([
    ['beside facts', { ...os, factsHash: factSetHash('os', facts) }],
    ['that is none', { ...hashed, factsHash: 'abc' }],
  ])('a hash %s is refused', async (_what, result) => {
    const api = await openTestApi();
    const { errors } = await api.ask(submitMutation, { input: input(1, { results: [result] }) });
    const path = ['input', 'results', 0, 'factsHash'];
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', path });
  });
});

test('how many reports the agent dropped is kept and told; null where it did not say', async () => {
  const api = await openTestApi();
  const answer = await dataOf(
    api.ask(manyMutation.replace('report { id }', 'report { droppedReports }'), {
      inputs: [input(1, { droppedReports: 12 }), input(2, { droppedReports: 0 }), input(3)],
    }),
  );
  const told = answer.submitReports.map(({ payload }: { payload: { report: object } }) => payload.report);
  const expected = [12, 0, null].map((droppedReports) => ({ droppedReports }));
  expect(told).toEqual(expected);
  // From the index, and from one that was built of what is stored.
  const query =
    '{ reports(orderBy: { field: COLLECTED_AT, direction: ASC }) { nodes { droppedReports os { uptimeSeconds } } } }';
  const indexed = { reports: { nodes: expected.map((node) => ({ ...node, os: { uptimeSeconds: 5 } })) } };
  expect(await dataOf(api.ask(query))).toEqual(indexed);
  const other = await openTestApi();
  await other.deliver([...(await storedIn(api)).values()].flatMap(([copy]) => (copy ? [copy.report] : [])));
  expect(await dataOf(other.ask(query))).toEqual(indexed);
});
