/** query-model-cases: random filters of every type, with every test, in and out of lists, at every level. */
import type { Facts } from '../../plugins/fact.ts';
import type { Change } from './query-model-changes.ts';
import { isSingle } from './query-model-facts.ts';
import type { Filter } from './query-model-filter.ts';
import { historyEnd, historyStart, type Picker } from './query-model-history.ts';
import { device, pools, undeclaredPlugin } from './query-model-plugin.ts';
import { type Compare, compareOf, order, type Tests } from './query-model-values.ts';
import { hostId } from './reports.ts';

const equality = ['eq', 'ne', 'in', 'notIn'];
const bounds = ['lt', 'lte', 'gt', 'gte'];
const parts = ['contains', 'startsWith', 'endsWith'];

/** The tests of each comparison, but isNull, which all have. */
const testsOf: Record<Compare, readonly string[]> = {
  text: [...equality, ...parts],
  number: [...equality, ...bounds],
  boolean: ['eq'],
  instant: ['eq', ...bounds],
  duration: [...equality, ...bounds],
  bytes: [...equality, ...bounds],
  version: [...equality, ...bounds, 'matches'],
  ip: [...equality, 'inSubnet', 'notInSubnet'],
  mac: [...equality, 'startsWith'],
};

/** What values are compared with. */
const argumentsOf: Record<Compare, readonly unknown[]> = {
  text: ['äpfel', 'ÄPFEL und Birnen', 'web-1', 'οδος', 'blue', 'GRÜN', 'eth0', 'up', 'global', 'nothing'],
  number: [-1.5, 0, 0.5, 2, 7, 100, 1000, 1e9],
  boolean: [true, false],
  instant: ['2026-05-01T00:00:00Z', '2026-05-01T02:00:00.500+02:00', '2026-05-02T12:00:00Z'],
  duration: ['90s', 90, '1.5h', '1d', '500ms', 0],
  bytes: ['4KiB', '4kB', 4096, '4000', '1 GiB', 0],
  version: ['6.1.9', '6.1', '6.1.90', '6.6.0-2', '12', 'v7.1'],
  ip: ['10.2.0.7', '::ffff:10.2.0.7', '2001:db8:0:0::7', '10.20.0.1'],
  mac: ['AA-BB-CC-00-11-22', 'aa:bb:cc:00:11:23', '02:00:00:00:00:01'],
};
const textParts = ['ä', 'ÄP', 'e', 'B', 'eb-1', 'Σ', 'σ', 'ς', '%', '_', '\\', 'y', 'ü', '', 'st', 'Web'];
const subnets = ['10.2.0.0/16', '10.2.3.4/8', '0.0.0.0/0', '2001:db8::/32', '::/0', '10.2.0.7/32'];
const ranges = [
  '>=6.1 <6.6',
  '6.1.*',
  '6.1.* || >=6.6',
  '!=6.1.9',
  '=12',
  '<= 6.1',
  '> 6.6.0-2',
  '6.1.9 || 12',
];

/** One to three tests that hold together for something. */
export function randomTests(picker: Picker, compare: Compare, own = argumentsOf[compare]): Tests {
  const { pick, chance, some } = picker;
  if (chance(0.15)) return { isNull: chance(0.5) };
  const tests: Tests = {};
  const names = [pick(testsOf[compare]), ...(chance(0.25) ? [pick(testsOf[compare])] : [])];
  for (const name of names) {
    if (name === 'in' || name === 'notIn') tests[name] = some(own, 3);
    else if (name === 'matches') tests[name] = pick(ranges);
    else if (name.endsWith('ubnet')) tests[name] = pick(subnets);
    else if (compare === 'mac' && name === 'startsWith') tests[name] = pick(['AA-BB', 'aa:bb:cc:', '02', '']);
    else if (parts.includes(name)) tests[name] = pick(textParts);
    else tests[name] = pick(own);
  }
  if (compare === 'text' && chance(0.4)) tests.ignoreCase = chance(0.8);
  if (chance(0.05)) tests.isNull = false;
  return isReversed(compare, tests) ? randomTests(picker, compare, own) : tests;
}

function isReversed(compare: Compare, { lt, lte, gt, gte }: Tests): boolean {
  const lower = [gt, gte].filter((bound) => bound !== undefined);
  const upper = [lt, lte].filter((bound) => bound !== undefined);
  return lower.some((low) => upper.some((high) => order(compare, low, high) > 0));
}

/** Joins filters of one type by and, or and not. */
function combined(picker: Picker, depth: number, leaf: () => Filter): Filter {
  const { pick, chance, below } = picker;
  const kind = depth === 0 ? 'leaf' : pick(['leaf', 'leaf', 'and', 'or', 'not']);
  if (kind === 'leaf') return leaf();
  const inner = () => combined(picker, depth - 1, leaf);
  if (kind === 'not') return { ...(chance(0.2) ? leaf() : {}), not: inner() };
  return { [kind]: Array.from({ length: below(10) === 0 ? 0 : 1 + below(3) }, inner) };
}

export function recordFilter(picker: Picker, facts: Facts, depth = 1): Filter {
  const { pick, chance } = picker;
  return combined(picker, depth, () => {
    const names = [pick(Object.keys(facts)), ...(chance(0.2) ? [pick(Object.keys(facts))] : [])];
    return Object.fromEntries(names.map((name) => [name, factTests(picker, facts[name])]));
  });
}

function factTests(picker: Picker, fact: Facts[string] | undefined): Filter {
  const { pick, chance } = picker;
  if (fact?.kind !== 'list') return randomTests(picker, compareOf[fact?.kind ?? ''] ?? 'text');
  const { of } = fact;
  const given = pick(['some', 'some', 'every', 'none', 'length', 'isNull']);
  if (given === 'isNull') return { isNull: chance(0.5) };
  if (given === 'length') return { length: randomTests(picker, 'number', [0, 1, 2, 3]) };
  if (chance(0.1)) return { [given]: {} };
  return {
    [given]: isSingle(of) ? randomTests(picker, compareOf[of.kind] ?? 'text') : recordFilter(picker, of),
  };
}

const declaredPaths: Record<string, Compare> = {
  ...Object.fromEntries(
    Object.entries(device.facts).flatMap(([name, { kind }]) =>
      kind === 'list' ? [] : [[`device.${name}`, compareOf[kind] ?? 'text'] as const],
    ),
  ),
  'device.tags': 'text',
  'device.weights': 'number',
  'device.ports.name': 'text',
  'device.ports.speed': 'number',
  'device.ports.addresses.address': 'ip',
  'device.events.note': 'text',
};
const undeclaredPaths: Record<string, [Compare, readonly unknown[]]> = {
  'rack.row': ['text', pools.row.filter((row) => row !== null)],
  'rack.height': ['number', [1, 2, 42]],
  'rack.powered': ['boolean', [true, false]],
  'rack.parts': ['text', pools.parts],
  'rack.shelves.unit': ['number', [1, 2]],
  'rack.shelves.doors': ['text', pools.parts],
  'rack.nested.deep': ['text', ['x', 'y']],
  'rack.nested.deeper.most': ['number', [3]],
  'host.name': ['text', ['Web-1', 'web-2', 'web-3-ä']],
  'host.agentVersion': ['text', ['0.1.0', '0.2.0']],
  'host.intervalSeconds': ['number', [60, 3600]],
  'host.labels.rack': ['text', pools.racks],
  'host.labels.environment': ['text', pools.environments],
};

export const countablePaths = [...Object.keys(declaredPaths), ...Object.keys(undeclaredPaths)];

function pathTests(picker: Picker): Filter {
  const { pick, chance } = picker;
  if (chance(0.5)) {
    const path = pick(Object.keys(declaredPaths));
    return { path, ...(chance(0.05) ? {} : randomTests(picker, declaredPaths[path] as Compare)) };
  }
  const path = pick(Object.keys(undeclaredPaths));
  const [compare, own] = undeclaredPaths[path] as [Compare, readonly unknown[]];
  return { path, ...(chance(0.05) ? {} : randomTests(picker, compare, own)) };
}

function sharedLeaf(picker: Picker): Filter {
  const { pick, chance, some } = picker;
  const kind = pick(['device', 'device', 'device', 'device', 'fact', 'fact', 'label', 'result']);
  if (kind === 'device') return { device: recordFilter(picker, device.facts, 2) };
  if (kind === 'fact') return { fact: pathTests(picker) };
  if (kind === 'label') {
    const name = pick(['rack', 'environment', 'team.name', 'nobody']);
    return {
      label: { name, ...(chance(0.2) ? {} : randomTests(picker, 'text', [...pools.racks, 'Test', ''])) },
    };
  }
  return {
    result: {
      plugin: pick([device.name, undeclaredPlugin, 'os', 'nobody', 'host']),
      ...(chance(0.6) ? { status: some(['OK', 'ERROR', 'TIMEOUT', 'SKIPPED'], 2) } : {}),
      ...(chance(0.4) ? { error: randomTests(picker, 'text', pools.errors) } : {}),
    },
  };
}

export function randomInstant({ below }: Picker): string {
  return new Date(historyStart + below((historyEnd - historyStart) / 60_000) * 60_000).toISOString();
}

function instantTests(picker: Picker): Tests {
  return randomTests(picker, 'instant', [
    randomInstant(picker),
    randomInstant(picker),
    randomInstant(picker),
  ]);
}

function ids({ chance, pick, some }: Picker, all: readonly string[]): Tests {
  return chance(0.3) ? { eq: pick(all) } : { in: some(all, 6) };
}

/** @param reports ids that may be asked for */
export function reportFilter(picker: Picker, hosts: number, reports: readonly string[]): Filter {
  const hostIds = Array.from({ length: hosts + 1 }, (_, host) => hostId(host));
  return combined(picker, 3, () => {
    const kind = picker.pick([
      'shared',
      'shared',
      'shared',
      'id',
      'host',
      'hostName',
      'collectedAt',
      'receivedAt',
    ]);
    if (kind === 'id') return { id: ids(picker, reports) };
    if (kind === 'host') return { host: ids(picker, hostIds) };
    if (kind === 'hostName') return { hostName: nameTests(picker) };
    return kind === 'shared' ? sharedLeaf(picker) : { [kind]: instantTests(picker) };
  });
}

export function hostFilter(picker: Picker, hosts: number): Filter {
  const hostIds = Array.from({ length: hosts + 1 }, (_, host) => hostId(host));
  return combined(picker, 3, () => {
    const kind = picker.pick([
      ...['shared', 'shared', 'shared', 'shared', 'id', 'name', 'firstSeenAt', 'lastSeenAt'],
      ...['status', 'changedSince'],
    ]);
    if (kind === 'id') return { id: ids(picker, hostIds) };
    if (kind === 'name') return { name: nameTests(picker) };
    if (kind === 'status') return { status: picker.some(['ONLINE', 'LATE', 'OFFLINE'], 2) };
    if (kind === 'changedSince') return { changedSince: randomInstant(picker) };
    return kind === 'shared' ? sharedLeaf(picker) : { [kind]: instantTests(picker) };
  });
}

/** Values, paths and times that did occur, most of the time. */
export function changeFilter(picker: Picker, hosts: number, changes: readonly Change[]): Filter {
  const { pick, chance } = picker;
  const hostIds = Array.from({ length: hosts + 1 }, (_, host) => hostId(host));
  const like = pick(changes);
  const path = like.path.split('.').slice(0, 1 + picker.below(4));
  const [one, other] = [randomInstant(picker), randomInstant(picker)].sort();
  return {
    ...(chance(0.2) ? { host: ids(picker, hostIds) } : {}),
    ...(chance(0.2) ? { hosts: hostFilter(picker, hosts) } : {}),
    ...(chance(0.3) ? { plugin: like.plugin } : {}),
    ...(chance(0.4) ? { path: path.join('.') } : {}),
    ...(chance(0.3) && one !== other
      ? { between: pick([{ start: one }, { end: other }, { start: one, end: other }]) }
      : {}),
    ...(chance(0.15) && like.before !== null ? { from: like.before } : {}),
    ...(chance(0.15) && like.after !== null ? { to: like.after } : {}),
    ...(chance(0.4) ? { initial: chance(0.7) } : {}),
  };
}

function nameTests(picker: Picker): Tests {
  return randomTests(picker, 'text', ['Web-1', 'web-2', 'WEB-3', 'web-4-ä', 'web-5-Z']);
}
