/**
 * Narrowing: what a narrowed identity is answered, whatever it asks, is what an API answers that never heard of the other
 * hosts: each list, count, page, cursor, moment in the past, nested field, export and error.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { everyone, type Identity, type Narrowing } from '../api/auth/identity.ts';
import type { StoredReport } from '../api/log/stored-report.ts';
import type { TestApi } from './support/api.ts';
import { describeIf } from './support/needs.ts';
import { seededRandom } from './support/noise.ts';
import { deliverAll, dialects, openModelled, type Question, stopClock } from './support/query-model-api.ts';
import {
  changeFilter,
  countablePaths,
  hostFilter,
  randomInstant,
  reportFilter,
} from './support/query-model-cases.ts';
import { allChanges } from './support/query-model-changes.ts';
import { historyEnd, makeHistory, makePicker, type Picker } from './support/query-model-history.ts';
import { hostsThen, makeWorld } from './support/query-model-world.ts';
import { hostId, result, storedReport } from './support/reports.ts';

/** Another one, `SEED=7 npm test`, asks other questions about another history. */
const seed = Number(process.env.SEED ?? 20_260_501);
const hosts = 12;
const copies = makeHistory(makePicker(seededRandom(seed)), hosts, 160);
const world = makeWorld(copies, historyEnd);
const now = hostsThen(world, null);
const reportIds = world.reports.map(({ id }) => id);
const changes = allChanges(world);

/** The labels that some host has now, and has not always had. */
const relabelled = now.find(({ id, own }) =>
  world.hosts.get(id)?.some(({ own: then }) => then.labels.rack !== own.labels.rack),
);
const rack = relabelled?.own.labels.rack ?? '';
const narrowings: [string, Narrowing][] = [
  ['a label', { hostId: null, labels: { rack } }],
  ['a label that hosts told in time past', { hostId: null, labels: { 'team.name': 'a' } }],
  ['a host', { hostId: relabelled?.id.toUpperCase() ?? '', labels: null }],
  ['a host and a label', { hostId: relabelled?.id ?? '', labels: { rack } }],
  ['a label of no host', { hostId: null, labels: { rack, environment: 'nowhere' } }],
];

/** By the description of narrowing alone. */
function isVisible({ hostId: id, labels }: Narrowing, host: (typeof now)[number]): boolean {
  const all = Object.entries(labels ?? {});
  return (
    (id === null || id.toLowerCase() === host.id) &&
    all.every(([name, value]) => host.own.labels[name] === value)
  );
}

stopClock();
for (const { dialect, can, needed } of dialects) {
  describeIf(can, needed, dialect, () => {
    let whole: TestApi;
    beforeAll(async () => {
      whole = await openModelled(dialect);
      await deliverAll(whole, copies, makePicker(seededRandom(seed + 1)));
    });

    describe.each(narrowings)('to %s', (_what, narrowedTo) => {
      const within = new Set(now.filter((host) => isVisible(narrowedTo, host)).map(({ id }) => id));
      const identity: Identity = { ...everyone, kind: 'token', id: 'narrowed', narrowedTo };
      let narrowed: Pick<TestApi, 'ask' | 'fetch'>;
      let only: TestApi;
      beforeAll(async () => {
        narrowed = whole.as(identity);
        only = await openModelled(dialect);
        const own = copies.filter(({ host }) => within.has(host.id));
        await deliverAll(only, own, makePicker(seededRandom(seed + 1)));
      });

      test('answers are those of a fleet without the others', async () => {
        const picker = makePicker(seededRandom(seed + 2));
        const differing: unknown[] = [];
        for (const [kind, make] of Object.entries(questions)) {
          for (let number = 0; number < 10; number += 1) {
            const { field, variables } = make(picker);
            const declared = Object.entries(variables).map(([name, { type }]) => `$${name}: ${type}`);
            const query = `query (${declared.join(', ')}) { ${field} }`;
            const values = Object.fromEntries(
              Object.entries(variables).map(([name, { value }]) => [name, value]),
            );
            const [answer, expected] = [await narrowed.ask(query, values), await only.ask(query, values)];
            if (JSON.stringify(answer) !== JSON.stringify(expected))
              differing.push({ kind, query, values, answer, expected });
          }
        }
        expect(differing.slice(0, 2)).toEqual([]);
      });

      test.each(exported)('%s is that of a fleet without the others', async (path) => {
        const [answer, expected] = [await narrowed.fetch(path), await only.fetch(path)];
        expect([answer.status, await answer.text()]).toEqual([expected.status, await expected.text()]);
      });
    });

    test('many hosts are told apart from the others as few are', async () => {
      const [many, own] = [await openModelled(dialect), await openModelled(dialect)];
      const reports = manyHosts();
      await many.deliver(reports);
      await own.deliver(reports.filter(({ host: { labels } }) => labels.team === 'a'));
      const narrowed = many.as({ ...everyone, narrowedTo: { hostId: null, labels: { team: 'a' } } });
      for (const query of ofManyHosts) {
        const answer = await narrowed.ask(query);
        expect([query, answer]).toEqual([query, await own.ask(query)]);
        expect([query, answer]).not.toEqual([query, await many.ask(query)]);
      }
    });
  });
}

const exported = [
  ...['/export/hosts.ndjson', '/export/hosts.csv', '/export/reports.ndjson', '/export/reports.csv'],
  '/export/hosts.ndjson?asOf=2026-05-02T12:00:00Z',
  `/export/reports.ndjson?filter=${encodeURIComponent('{"not":{"hostName":{"eq":"Web-1"}}}')}`,
  '/report?ip=10.2.0.7',
];

/** More of one team than are found by their numbers, and a few of another, of two reports each. */
function manyHosts(): StoredReport[] {
  return Array.from({ length: 440 }, (_, number) => {
    const [host, turn] = [number % 220, Math.floor(number / 220)];
    const isOther = host >= 210;
    return storedReport({
      host: {
        ...{ id: hostId(host), name: `${isOther ? 'b' : 'a'}-host-${host}` },
        labels: { team: isOther ? 'b' : 'a', ...(isOther ? { secretName: 'x' } : {}) },
      },
      collectedAt: `2026-05-01T10:0${turn}:00.000Z`,
      receivedAt: `2026-05-01T10:0${turn}:01.000Z`,
      results: [
        result('rack', { row: turn + host, ...(isOther ? { secretRow: turn } : { list: [{ unit: 1 }] }) }),
      ],
    });
  });
}

const ofManyHosts = [
  '{ hosts(last: 3) { totalCount nodes { name } } }',
  '{ hosts(last: 3, asOf: "2026-05-01T10:00:30Z") { totalCount nodes { name facts(plugin: "rack") } } }',
  '{ reports(last: 3) { totalCount nodes { host { name } } } }',
  '{ changes(first: 3, filter: { initial: true }) { totalCount nodes { path after host { name } } } }',
  '{ changes(filter: { path: "rack.secretRow" }) { totalCount } }',
  '{ factCounts(path: "host.labels.team") { value hosts } }',
  '{ factCounts(path: "rack.secretRow") { value hosts } }',
  '{ factCounts(path: "rack.list.unit") { value hosts } }',
  '{ factCounts(path: "host.labels.secretNam") { value hosts } }',
  '{ plugins { name } hosts { totalCount } }',
];

const host = `id name labels agentVersion clonedFrom firstSeenAt lastSeenAt status device { label slots } facts(plugin: "rack")`;
const report = `id collectedAt receivedAt agentVersion droppedReports results { plugin status facts } device { label }`;
const change = 'at plugin path keys before after';
const page = 'totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }';
const figures = 'count min max sum percentile(of: 50)';

/** Questions of each kind, each with a random filter. */
const questions: Record<string, (picker: Picker) => Question> = {
  reports: (picker) => ({
    field: `reports(filter: $filter, first: 5) { ${page} nodes { ${report} host { ${host} } changes(first: 3) { totalCount nodes { ${change} } } } }`,
    variables: { filter: { type: 'ReportFilter', value: reportFilter(picker, hosts, reportIds) } },
  }),
  'reports from the end, by when they came': (picker) => ({
    field: `reports(filter: $filter, last: 4, orderBy: { field: RECEIVED_AT }, before: $before) { ${page} edges { cursor node { id } } }`,
    variables: {
      filter: {
        type: 'ReportFilter',
        value: picker.chance(0.5) ? null : reportFilter(picker, hosts, reportIds),
      },
      before: { type: 'String', value: placeOf('RECEIVED_AT ASC', picker) },
    },
  }),
  hosts: (picker) => ({
    field: `hosts(filter: $filter, asOf: $asOf, first: 4) { ${page} nodes { ${host}
      reports(first: 2, filter: $reports) { ${page} nodes { ${report} } }
      changes(last: 2) { ${page} nodes { ${change} report { id } } } reportAt(time: "2026-05-02T12:00:00Z") { ${report} } } }`,
    variables: {
      ...someHosts(picker),
      reports: { type: 'ReportFilter', value: reportFilter(picker, hosts, reportIds) },
    },
  }),
  'hosts in the order of a fact': (picker) => ({
    field:
      'hosts(filter: $filter, asOf: $asOf, orderBy: $order, last: 5) { totalCount edges { cursor node { id } } }',
    variables: {
      ...someHosts(picker),
      order: {
        type: 'HostOrder',
        value: { fact: picker.pick(['device.slots', 'device.label', 'host.labels.rack', 'rack.height']) },
      },
    },
  }),
  changes: (picker) => ({
    field: `changes(filter: $filter, first: 5) { ${page} nodes { ${change} host { id name } report { id } } }`,
    variables: { filter: { type: 'ChangeFilter', value: changeFilter(picker, hosts, changes) } },
  }),
  'counts of facts': (picker) => ({
    field:
      'factCounts(path: $path, by: $by, filter: $filter, asOf: $asOf) { value hosts groups { value hosts } }',
    variables: { ...someHosts(picker), ...paths(picker, countablePaths) },
  }),
  'figures of facts': (picker) => ({
    field: `factStats(path: $path, by: $by, filter: $filter, asOf: $asOf) { ${figures} groups { group ${figures} } }`,
    variables: { ...someHosts(picker), ...paths(picker, ['device.slots', 'rack.height', 'device.weights']) },
  }),
  'counts of reports': (picker) => ({
    field: 'reportCounts(by: HOUR, filter: $filter) { at reports }',
    variables: { filter: { type: 'ReportFilter', value: reportFilter(picker, hosts, reportIds) } },
  }),
  'one report, or none': (picker) => ({
    field: `report(id: $id) { ${report} host { ${host} reports(first: 2) { totalCount } } changes { totalCount } }`,
    variables: { id: { type: 'UUID!', value: picker.pick(reportIds) } },
  }),
  'one host, or none': (picker) => ({
    field: `host(id: $id) { ${host} reports(first: 2) { totalCount nodes { id } } changes { totalCount } reportAt(time: $time) { id } }`,
    variables: {
      id: { type: 'UUID!', value: hostId(picker.below(hosts + 1)) },
      time: { type: 'DateTime!', value: randomInstant(picker) },
    },
  }),
  'facts that some hosts have told': (picker) => ({
    field: 'factCounts(path: $path) { value hosts }',
    variables: {
      path: {
        type: 'String!',
        value: picker.pick([
          ...['host.labels.team.name', 'host.labels.environment', 'host.labels.racks', 'host.clonedFrom'],
          ...['rack.nested.deeper.most', 'rack.shelves.door', 'racks.row', 'host.nothing'],
        ]),
      },
    },
  }),
  'changes of facts that some hosts have told': (picker) => ({
    field: 'changes(filter: $filter) { totalCount }',
    variables: {
      filter: {
        type: 'ChangeFilter',
        value: picker.pick([
          ...[{ path: 'host.labels.team' }, { path: 'rack.nested.deeper' }, { path: 'device.extra' }],
          ...[{ plugin: 'rack' }, { plugin: 'racks' }],
        ]),
      },
    },
  }),
};

function someHosts(picker: Picker): Question['variables'] {
  return {
    filter: { type: 'HostFilter', value: picker.chance(0.6) ? hostFilter(picker, hosts) : null },
    asOf: { type: 'DateTime', value: picker.chance(0.5) ? randomInstant(picker) : null },
  };
}

function paths(picker: Picker, known: readonly string[]): Question['variables'] {
  return {
    path: { type: 'String!', value: picker.pick(known) },
    by: { type: 'String', value: picker.chance(0.4) ? picker.pick(countablePaths) : null },
  };
}

/** A cursor at some report, be it one of a host that is not within. */
function placeOf(order: string, picker: Picker): string | null {
  if (picker.chance(0.5)) return null;
  const { receivedAt, id } = picker.pick(world.reports);
  return Buffer.from(JSON.stringify([order, { value: receivedAt, id }])).toString('base64url');
}
