import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { collectChecked, collectContext, hostRoot } from '../test/support/recorded-hosts.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import processes from './processes.ts';
import { topByCpu, topByMemory, usageSince } from './sources/process-ranking.ts';
import { type ProcessStat, parseProcessStat } from './sources/process-stat.ts';
import { toPortableProcesses } from './sources/processes.portable.ts';

const isLinux = process.platform === 'linux';

type Shown = { pid: number; name: string; utilization: number | null };

function stat(pid: number, more: Partial<ProcessStat> = {}): ProcessStat {
  const rest = { name: 'x', state: 'S', parentPid: 1, threads: 1, startTicks: 5, residentPages: 0 };
  return { pid, ...rest, cpuTicks: 0, ...more };
}

/** With as many shown as asked for: the default is ten. */
const contextOf = (root: string, top?: number) => ({
  ...collectContext(root),
  options: top === undefined ? undefined : { top },
});

test.runIf(isLinux)(
  'this host: a process that was started is counted, and command lines are not told',
  async () => {
    const secret = 'password-on-the-command-line';
    const child = spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1000)', secret]);
    await once(child.stdout, 'data');
    const values = await collectChecked(processes, contextOf('/', 100));
    child.kill();
    expect(values.total).toBeGreaterThan(1);
    expect(values.threads).toBeGreaterThan(Number(values.total));
    const shown = values.topByMemory as Shown[];
    expect(shown.map(({ pid }) => pid)).toContain(process.pid);
    expect(JSON.stringify(values)).not.toContain(secret);
    await once(child, 'exit');
  },
);

test.runIf(isLinux)('this host: who is busy is at the top from the second collection on', async () => {
  const child = spawn(process.execPath, ['-e', 'console.log(1); for (;;);']);
  await once(child.stdout, 'data');
  const context = contextOf('/', 100);
  const utilizationOf = async () => {
    const { topByCpu } = await collectChecked(processes, context);
    return (topByCpu as Shown[]).find(({ pid }) => pid === child.pid)?.utilization ?? null;
  };
  expect(await utilizationOf()).toBeNull();
  // The counters move a hundred times a second, so it takes a few collections until they have moved.
  let utilization: number | null = null;
  while (!utilization) utilization = await utilizationOf();
  expect(utilization).toBeLessThanOrEqual(1);
  child.kill();
  await once(child, 'exit');
});

test.runIf(isLinux)('as many are shown as the options ask for', async () => {
  const root = hostRoot('rocky-9-epyc-bond');
  const count = async (top?: number) => {
    const { topByCpu, topByMemory } = await collectChecked(processes, contextOf(root, top));
    return [(topByCpu as Shown[]).length, (topByMemory as Shown[]).length];
  };
  expect(await count()).toEqual([10, 10]);
  expect(await count(3)).toEqual([3, 3]);
  expect(await count(0)).toEqual([0, 0]);
  expect(processes.options?.safeParse({ top: -1 }).success).toBe(false);
  expect(processes.options?.safeParse({ tops: 3 }).success).toBe(false);
});

test.runIf(isLinux)(
  'utilization is the share of what all processors did between two collections',
  async () => {
    const line = (utime: number) => `7 (busy) R 1 7 7 0 -1 0 0 0 0 0 ${utime} 0 0 0 20 0 1 0 50 0 9 0\n`;
    const root = await temporaryFolder({
      'node-os.json': '{}',
      'proc/stat': 'cpu  100 0 0 900 0 0 0 0\nbtime 1700000000\n',
      'proc/7/stat': line(10),
      'proc/7/status': 'Name:\tbusy\nUid:\t0\t0\t0\t0\nVmRSS:\t  36 kB\n',
      'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/root:/bin/sh\n',
    });
    const context = contextOf(root);
    const first = await collectChecked(processes, context);
    const shown = {
      pid: 7,
      name: 'busy',
      user: 'root',
      parentPid: 1,
      utilization: null,
      cpuSeconds: 0.1,
      residentBytes: 36_864,
      threads: 1,
      startedAt: '2023-11-14T22:13:20.500Z',
    };
    expect(first).toMatchObject({ total: 1, running: 1, topByCpu: [shown], topByMemory: [shown] });
    await writeFile(join(root, 'proc/stat'), 'cpu  150 0 0 1050 0 0 0 0\nbtime 1700000000\n');
    await writeFile(join(root, 'proc/7/stat'), line(60));
    const second = await collectChecked(processes, context);
    expect(second.topByCpu).toEqual([{ ...shown, utilization: 0.25, cpuSeconds: 0.6 }]);
  },
);

test('a process id that was used again does not count what its predecessor used', () => {
  const cache = new Map<string, unknown>();
  usageSince(cache, [stat(3, { cpuTicks: 500 }), stat(4, { cpuTicks: 100 })], 1000);
  const now = [
    stat(3, { startTicks: 9, cpuTicks: 20 }),
    stat(4, { cpuTicks: 90 }),
    stat(5, { cpuTicks: 30 }),
  ];
  const usages = usageSince(cache, now, 1100);
  expect(usages.map(({ utilization }) => utilization)).toEqual([0.2, 0, 0.3]);
});

test('without the time of the processors there is no utilization, then or the next time', () => {
  const cache = new Map<string, unknown>();
  const utilizations = (total: number | null) =>
    usageSince(cache, [stat(3)], total).map(({ utilization }) => utilization);
  expect([1000, null, 1200, 1200, 1300].map((total) => utilizations(total)[0])).toEqual([
    null,
    null,
    null,
    null,
    0,
  ]);
});

test('the largest come first, of equal ones the oldest process id, and none that used nothing', () => {
  const cache = new Map<string, unknown>();
  const usages = usageSince(
    cache,
    [stat(9, { cpuTicks: 5, residentPages: 7 }), stat(2, { cpuTicks: 5 }), stat(3), stat(1, { cpuTicks: 8 })],
    100,
  );
  expect(topByCpu(usages, 9).map(({ stat }) => stat.pid)).toEqual([1, 2, 9]);
  expect(topByCpu(usages, 1).map(({ stat }) => stat.pid)).toEqual([1]);
  expect(topByMemory(usages, 9).map(({ stat }) => stat.pid)).toEqual([9]);
});

const fields = '1 1 1 0 -1 4194560 5 6 7 8 100 50 0 0 20 0 3 0 250 1000 42 99';

test.each([
  ['sh', 'sh'],
  ['Web (Content) x', 'Web (Content) x'],
  [') R 1 (', ') R 1 ('],
  ['', ''],
])('a process called %j', (name, expected) => {
  expect(parseProcessStat(`77 (${name}) S ${fields}\n`)).toEqual({
    pid: 77,
    name: expected,
    state: 'S',
    parentPid: 1,
    cpuTicks: 150,
    threads: 3,
    startTicks: 250,
    residentPages: 42,
  });
});

test.each([
  '',
  '77',
  '77 (x',
  '77 (x) S 1 2 3',
  `x (y) S ${fields}`,
  `77 (x) 5 ${fields}`,
  `) 77 ( S ${fields}`,
])('no process in %j', (line) => expect(parseProcessStat(line)).toBeNull());

test('ps counts one processor, Windows all; arguments behind a name are left out', () => {
  const listed = {
    pid: 5,
    parentPid: 1,
    name: 'Google Chrome Helper --token=secret',
    cpu: 150,
    memRss: 2,
    started: '2026-05-01 10:00:00',
    state: 'zombie',
    user: '',
  };
  const processes = {
    all: 2,
    running: 0,
    blocked: 0,
    sleeping: 1,
    list: [listed, { ...listed, pid: 6, cpu: 0 }],
  };
  const { topByCpu, zombies } = toPortableProcesses({ processes, processors: 4, top: 5 }) ?? {};
  expect(topByCpu).toEqual([
    {
      pid: 5,
      name: 'Google Chrome Helper',
      user: null,
      parentPid: 1,
      utilization: 0.375,
      residentBytes: 2048,
      startedAt: new Date('2026-05-01T10:00:00').toISOString(),
    },
  ]);
  expect(zombies).toBe(2);
  expect(toPortableProcesses({ processes: { ...processes, list: [] }, processors: 1, top: 5 })).toBeNull();
});
