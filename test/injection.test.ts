/**
 * What an attacker puts into a name, a label, a path or a filter is text and nothing else: each is found by itself,
 * and no other with it.
 */
import { beforeAll, expect, test } from 'vitest';
import { hostile } from './fuzz/arbitraries.ts';
import { dataOf, type TestApi } from './support/api.ts';
import { describeIf } from './support/needs.ts';
import { dialects, openModelled } from './support/query-model-api.ts';
import { hostId, result, storedReport } from './support/reports.ts';

/** `__proto__` is refused as the name of a label. */
const labelName = (text: string) => (text === '__proto__' ? 'proto' : text.slice(0, 128));
/** What no text of a database can hold is U+FFFD in it. */
const asStored = (text: string) => text.toWellFormed().replaceAll('\0', '\ufffd');
const texts = [...new Set(hostile.map(asStored))];
const ids = (hold: (text: string) => boolean) =>
  texts.flatMap((text, number) => (hold(text) ? [hostId(number)] : []));

const reports = texts.map((text, number) =>
  storedReport({
    host: { id: hostId(number), name: text, labels: { environment: text, [labelName(text)]: 'odd' } },
    agentVersion: text,
    results: [
      result('os', { version: text, hostname: text }),
      result(`odd ${text}`, { [text]: text }),
      { ...result('cpu', null), status: 'ERROR', error: text },
    ],
  }),
);

for (const { dialect, can, needed } of dialects) {
  describeIf(can, needed, dialect, () => {
    let api: TestApi;
    beforeAll(async () => {
      api = await openModelled(dialect);
      await api.deliver(reports);
    });

    const hosts = async (filter: object) => {
      const query = 'query ($filter: HostFilter) { hosts(first: 100, filter: $filter) { nodes { id } } }';
      const { hosts: found } = await dataOf(api.ask(query, { filter }));
      return found.nodes.map(({ id }: { id: string }) => id).sort();
    };

    test.each(texts.map((text) => [text]))(
      '%j as the name of a host and the value of a label',
      async (text) => {
        expect(await hosts({ name: { eq: text } })).toEqual(ids((name) => name === text));
        expect(await hosts({ name: { contains: text } })).toEqual(ids((name) => name.includes(text)));
        expect(await hosts({ name: { startsWith: text } })).toEqual(ids((name) => name.startsWith(text)));
        expect(await hosts({ name: { endsWith: text } })).toEqual(ids((name) => name.endsWith(text)));
        expect(await hosts({ label: { name: 'environment', eq: text } })).toEqual(
          ids((name) => name === text),
        );
        expect(await hosts({ os: { hostname: { in: [text] } } })).toEqual(ids((name) => name === text));
        expect(await hosts({ os: { hostname: { ne: text } } })).toEqual(ids((name) => name !== text));
      },
    );

    test.each(texts.map((text) => [text]))('%j as a name of a label, a plugin and a fact', async (text) => {
      expect(await hosts({ label: { name: labelName(text), eq: 'odd' } })).toContain(
        hostId(texts.indexOf(text)),
      );
      const query = `query ($path: String!, $filter: ReportFilter) {
        factCounts(path: $path) { value hosts }
        reports(first: 100, filter: $filter) { nodes { host { id } } }
      }`;
      const filter = { result: { plugin: { eq: `odd ${text}` } } };
      const { data, errors } = await api.ask(query, { path: `odd ${text}.${text}`, filter });
      if (errors) expect(errors.map(({ extensions }) => extensions.code)).toEqual(['BAD_USER_INPUT']);
      else
        expect(data.reports.nodes.map(({ host }: { host: { id: string } }) => host.id)).toEqual(
          ids((name) => name === text),
        );
    });

    test.each(texts.map((text) => [text]))('%j as a cursor and as an address', async (text) => {
      const query = `query ($cursor: String, $ip: String, $subnet: String) {
        reports(first: 1, after: $cursor) { nodes { id } }
        hosts(last: 1, before: $cursor) { nodes { id } }
        changes(first: 1, after: $cursor) { nodes { path } }
        told: hosts(filter: { network: { primaryAddress: { eq: $ip } } }) { totalCount }
        within: hosts(filter: { network: { primaryAddress: { inSubnet: $subnet } } }) { totalCount }
      }`;
      // Each by itself, so that one that is refused does not keep the others from being tried.
      for (const name of ['cursor', 'ip', 'subnet']) {
        const { data, errors } = await api.ask(query, { [name]: text });
        if (errors)
          expect(new Set(errors.map(({ extensions }) => extensions.code))).toEqual(
            new Set(['BAD_USER_INPUT']),
          );
        else expect([data.told.totalCount, data.within.totalCount]).toEqual([0, 0]);
      }
      const python = await api.fetch(`/report?ip=${encodeURIComponent(text)}`);
      expect([400, 404]).toContain(python.status);
    });

    test('all that was told is still there', async () => {
      const { hosts: all, reports: told } = await dataOf(
        api.ask('{ hosts { totalCount } reports { totalCount } }'),
      );
      expect([all.totalCount, told.totalCount]).toEqual([texts.length, texts.length]);
    });
  });
}
