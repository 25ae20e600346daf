/** query-model: every filter finds what an independent, naive model of its description finds, on both dialects. */
import { test } from 'vitest';
import type { Question } from './support/query-model-api.ts';
import { changeFilter, hostFilter, randomInstant, reportFilter } from './support/query-model-cases.ts';
import { allChanges, type Change, newestFirst } from './support/query-model-changes.ts';
import { changePasses, type Filter, hostPasses, reportPasses } from './support/query-model-filter.ts';
import { describeModelled, expectVariety, hosts, world } from './support/query-model-suite.ts';
import { type HostThen, hostsThen, statusOf } from './support/query-model-world.ts';

const reportIds = world.reports.map(({ id }) => id);

describeModelled((check) => {
  test('reports', async () => {
    const shares: number[] = [];
    await check(600, (picker) => {
      const filter = reportFilter(picker, hosts, reportIds);
      const found = world.reports.filter((report) => reportPasses(world, report, filter));
      shares.push(found.length / world.reports.length);
      return {
        given: filter,
        question: {
          field: 'reports(filter: $filter, first: 1000) { totalCount nodes { id } }',
          variables: { filter: { type: 'ReportFilter', value: filter } },
        },
        read: sorted,
        expected: sorted({ totalCount: found.length, nodes: found.map(({ id }) => ({ id })) }),
      };
    });
    expectVariety(shares);
  });

  test('hosts, now and at any moment', async () => {
    const shares: number[] = [];
    await check(600, (picker) => {
      const filter = hostFilter(picker, hosts);
      const asOf = picker.chance(0.5) ? randomInstant(picker) : null;
      const all = hostsThen(world, asOf === null ? null : Date.parse(asOf));
      const found = all.filter((host) => hostPasses(world, host, filter));
      shares.push(found.length / all.length);
      return {
        given: { filter, asOf },
        question: hostsWith(filter, asOf),
        read: sorted,
        expected: sorted({ totalCount: found.length, nodes: found.map(toldHost) }),
      };
    });
    expectVariety(shares);
  });

  test('changes', async () => {
    const all = allChanges(world);
    const shares: number[] = [];
    await check(400, (picker) => {
      const filter = changeFilter(picker, hosts, all);
      const found = all.filter((change) => changePasses(world, change, filter)).sort(newestFirst);
      shares.push(found.length / all.length);
      return {
        given: filter,
        question: changesWith(filter),
        expected: { totalCount: found.length, nodes: found.slice(0, 200).map(toldChange) },
      };
    });
    expectVariety(shares);
  });
});

type Nodes = { totalCount: number; nodes: { id: string }[] };

function sorted({ totalCount, nodes }: Nodes): Nodes {
  return { totalCount, nodes: nodes.toSorted((a, b) => (a.id < b.id ? -1 : 1)) };
}

function hostsWith(filter: Filter, asOf: string | null): Question {
  return {
    field: `hosts(filter: $filter, asOf: $asOf, first: 1000) {
      totalCount nodes { id name labels agentVersion firstSeenAt lastSeenAt status } }`,
    variables: { filter: { type: 'HostFilter', value: filter }, asOf: { type: 'DateTime', value: asOf } },
  };
}

function toldHost(host: HostThen) {
  const { name, labels, agentVersion } = host.own;
  return {
    id: host.id,
    ...{ name, labels, agentVersion },
    firstSeenAt: new Date(host.firstSeenAt).toISOString(),
    lastSeenAt: new Date(host.lastSeenAt).toISOString(),
    status: statusOf(world, host),
  };
}

function changesWith(filter: Filter): Question {
  return {
    field: `changes(filter: $filter, first: 200) {
      totalCount nodes { host { id } report { id } at plugin path keys before after } }`,
    variables: { filter: { type: 'ChangeFilter', value: filter } },
  };
}

function toldChange({ host, report, at, plugin, path, keys, before, after }: Change) {
  return {
    host: { id: host },
    report: { id: report },
    at: new Date(at).toISOString(),
    ...{ plugin, path, keys: [...keys], before, after },
  };
}
