import os from 'node:os';
import { expect, test } from 'vitest';
import { collectChecked, collectContext } from '../test/support/recorded-hosts.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import memory from './memory.ts';
import { parseMemInfo, parsePressure, parseSwaps } from './sources/meminfo.ts';
import { toMemory } from './sources/memory.linux.ts';
import { toPortableMemory } from './sources/memory.portable.ts';

const isLinux = process.platform === 'linux';

test('this host: what it tells agrees with node:os, and its parts fit together', async () => {
  const values = await collectChecked(memory, collectContext('/'));
  expect(values.totalBytes).toBe(os.totalmem());
  expect(values.usedBytes).toBe(Number(values.totalBytes) - Number(values.availableBytes));
  expect(values.utilization).toBeGreaterThan(0);
  expect(values.utilization).toBeLessThan(1);
});

test('amounts are in kB and counts have no unit', () => {
  const info = parseMemInfo(
    'MemTotal:       1024 kB\nHugePages_Total:       3\nActive(anon):  12 kB\nBad: x kB\n',
  );
  expect(info.bytes('MemTotal')).toBe(1_048_576);
  expect(info.count('HugePages_Total')).toBe(3);
  expect(info.bytes('Active(anon)')).toBe(12_288);
  expect([
    info.bytes('HugePages_Total'),
    info.count('MemTotal'),
    info.bytes('Bad'),
    info.bytes('None'),
  ]).toEqual([null, null, null, null]);
});

const raw = { swaps: null, pressure: null, vmstat: null, limit: null, limitUsed: null };

test('without an amount of available memory, what is used is unknown', () => {
  expect(toMemory({ ...raw, meminfo: 'MemTotal: 1024 kB\nMemFree: 100 kB\n' })).toMatchObject({
    totalBytes: 1_048_576,
    freeBytes: 102_400,
    availableBytes: null,
    usedBytes: null,
    utilization: null,
  });
});

test.each([
  ['max', null],
  ['9223372036854771712', null],
  ['1048576', null],
  ['524288', 524_288],
  ['0', 0],
  ['', null],
  ['-1', null],
])('a control group whose limit is %j', (limit, expected) => {
  const values = toMemory({ ...raw, meminfo: 'MemTotal: 1024 kB\n', limit, limitUsed: '4096' });
  expect(values.limitBytes).toBe(expected);
  expect(values.limitUsedBytes).toBe(expected === null ? null : 4096);
});

test.runIf(isLinux)('a limit of the first version of control groups counts as well', async () => {
  const root = await temporaryFolder({
    'node-os.json': '{}',
    'proc/meminfo': 'MemTotal:       4096 kB\n',
    'sys/fs/cgroup/memory/memory.limit_in_bytes': '2097152\n',
    'sys/fs/cgroup/memory/memory.usage_in_bytes': '1048576\n',
  });
  const values = await collectChecked(memory, collectContext(root));
  expect(values).toMatchObject({ limitBytes: 2_097_152, limitUsedBytes: 1_048_576 });
});

test('swap devices, in the order they were added', () => {
  const swaps = `Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority
/dev/zram0                              partition\t4194300\t\t12\t\t100
/swap\\040file                           file\t\t1024\t\t0\t\t-2
`;
  expect(parseSwaps(swaps)).toEqual([
    { device: '/dev/zram0', type: 'partition', totalBytes: 4_294_963_200, priority: 100 },
    { device: '/swap file', type: 'file', totalBytes: 1_048_576, priority: -2 },
  ]);
});

test('pressure is in hundredths of a percent', () => {
  const pressure =
    'some avg10=0.01 avg60=100.00 avg300=33.33 total=1\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n';
  expect(parsePressure(pressure, 'some')).toEqual([0.0001, 1, 0.3333]);
  expect(parsePressure(pressure, 'full')).toEqual([0, 0, 0]);
  expect(parsePressure(null, 'some')).toEqual([null, null, null]);
  expect(parsePressure('some avg10=1e9 avg60=1..2 avg300=101.00 total=1', 'some')).toEqual([
    null,
    null,
    null,
  ]);
});

test('systeminformation has a total of 0 for unknown, and no available memory that is more than all', () => {
  const answer = { total: 8, free: 1, available: 6, cached: 0, swaptotal: 4, swapused: 1 };
  expect(toPortableMemory({ ...answer, total: 0 })).toBeNull();
  expect(toPortableMemory(answer)).toEqual({
    totalBytes: 8,
    swapTotalBytes: 4,
    freeBytes: 1,
    availableBytes: 6,
    usedBytes: 2,
    utilization: 0.25,
    cachedBytes: null,
    swapUsedBytes: 1,
  });
  expect(toPortableMemory({ ...answer, available: 9 })).toMatchObject({
    availableBytes: null,
    usedBytes: null,
  });
});
