/** No answer holds more than the API can put together. */
import { beforeAll, describe, expect, test } from 'vitest';
import { openTestApi, submitMutation, type TestApi } from '../test/support/api.ts';
import { hostId, result } from '../test/support/reports.ts';
import { makeAnswerSize, maxElements, maxJsonLength } from './answer-size.ts';

describe('counting', () => {
  test('JSON counts each time that it is written, whatever it is', () => {
    const size = makeAnswerSize();
    const facts = { text: 'x'.repeat(maxJsonLength / 4) };
    for (let written = 0; written < 3; written += 1) size.addJson(facts);
    for (const single of [null, undefined, 1, 'text']) size.addJson(single);
    expect(() => size.addJson(facts)).toThrow(
      'the answer would hold more than 32 MiB of facts as they were sent: take smaller pages, or use /export',
    );
  });

  test('elements of all lists count together', () => {
    const size = makeAnswerSize();
    size.addElements(maxElements);
    expect(() => size.addElements(1)).toThrow(`lists inside facts of ${maxElements} elements`);
  });
});

describe('through GraphQL', () => {
  let api: TestApi;
  const interfaces = Array.from({ length: 900 }, (_, number) => ({ name: `veth${number}` }));
  const reports = 300;
  beforeAll(async () => {
    api = await openTestApi();
    const results = [result('network', { interfaces }), result('notes', { text: 'x'.repeat(200_000) })];
    for (let number = 0; number < reports; number += 1) {
      const input = {
        host: { id: hostId(0), name: 'web-1' },
        collectedAt: '2026-05-01T00:00:00Z',
        results,
      };
      expect((await api.ask(submitMutation, { input })).errors).toBeUndefined();
    }
  });

  test.each([
    ['lists of facts', 'network { interfaces { name } }', /250000 elements/],
    ['facts of any plugin', 'facts(plugin: "notes")', /32 MiB/],
    ['facts of results', 'results { facts }', /32 MiB/],
  ])('%s that are shared by many reports', async (_name, selection, message) => {
    const ask = (first: number) => api.ask(`{ reports(first: ${first}) { nodes { ${selection} } } }`);
    const { errors } = await ask(reports);
    expect(errors?.[0]).toMatchObject({
      message: expect.stringMatching(message),
      extensions: { code: 'BAD_USER_INPUT', path: [] },
    });
    // A new request begins anew.
    for (let time = 0; time < 2; time += 1) expect((await ask(100)).errors).toBeUndefined();
  });
});
