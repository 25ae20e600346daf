import os from 'node:os';
import { expect, test } from 'vitest';
import { collectChecked, collectContext, hostFile, hostRoot } from '../test/support/recorded-hosts.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import cpu from './cpu.ts';
import { parseLoadAverage } from './sources/cpu.linux.ts';
import { toPortableCpu } from './sources/cpu.portable.ts';
import { parseCpuList } from './sources/cpu-list.ts';
import { parseCpuTime, utilization } from './sources/cpu-time.ts';
import { parseCpuInfo } from './sources/cpuinfo.ts';

const isLinux = process.platform === 'linux';

test('this host: what it tells agrees with node:os', async () => {
  const values = await collectChecked(cpu, collectContext('/'));
  expect(values.threads).toBe(os.cpus().length);
  expect(values.architecture).toBe(os.machine());
  // On other processors node:os has a table of names.
  if (process.arch === 'x64') expect(values.model).toBe(os.cpus()[0]?.model.trim());
  if (values.cores !== null) expect(values.cores).toBeLessThanOrEqual(Number(values.threads));
  if (values.sockets !== null) expect(values.sockets).toBeLessThanOrEqual(Number(values.cores));
});

test('this host: utilization is null at first and a share from then on', async () => {
  const context = collectContext('/');
  expect((await collectChecked(cpu, context)).utilization).toBeNull();
  // The counters move a hundred times a second, so it takes a few collections until they have moved.
  let utilization: unknown = null;
  while (utilization === null) utilization = (await collectChecked(cpu, context)).utilization;
  expect(utilization).toBeGreaterThanOrEqual(0);
  expect(utilization).toBeLessThanOrEqual(1);
});

test('utilization is the busy share of what passed between two readings', () => {
  const before = parseCpuTime('cpu  100 0 100 700 100 0 0 0 50 0\ncpu0 1 2 3 4\n');
  const after = parseCpuTime('cpu  130 0 110 740 120 0 0 0 80 0\n');
  expect(before).toEqual({ total: 1000, idle: 800 });
  expect(utilization(before, after)).toBeCloseTo(0.4);
  expect(utilization(null, after)).toBeNull();
  expect(utilization(before, null)).toBeNull();
});

test('utilization is null when nothing passed or a counter went backwards', () => {
  expect(utilization({ total: 10, idle: 5 }, { total: 10, idle: 5 })).toBeNull();
  expect(utilization({ total: 10, idle: 5 }, { total: 9, idle: 4 })).toBeNull();
  expect(utilization({ total: 10, idle: 5 }, { total: 12, idle: 4 })).toBeNull();
  expect(utilization({ total: 10, idle: 5 }, { total: 12, idle: 9 })).toBeNull();
});

test.each([null, '', 'cpu', 'cpu  1 2 3', 'cpu0 1 2 3 4', 'intr 5'])('no processor time in %j', (stat) => {
  expect(parseCpuTime(stat)).toBeNull();
});

test('kernels of long ago have four columns', () => {
  expect(parseCpuTime('cpu 1 2 3 4')).toEqual({ total: 10, idle: 4 });
});

test.each([
  ['0', [0]],
  ['0-3', [0, 1, 2, 3]],
  ['0,2-3,8', [0, 2, 3, 8]],
  ['3-1', []],
])('processor list %s', (list, ids) => {
  expect(parseCpuList(list)).toEqual(ids);
});

test.each([null, '', '-', '0-', 'a', '0,,1', '0-99999', '1 2'])('no processor list: %j', (list) => {
  expect(parseCpuList(list)).toBeNull();
});

test('load average', () => {
  expect(parseLoadAverage('0.00 1.07 20.11 1/87 5467')).toEqual({ load1: 0, load5: 1.07, load15: 20.11 });
  expect(parseLoadAverage('0.00 1.07')).toEqual({ load1: null, load5: null, load15: null });
});

test('cores of two sockets may have the same numbers', () => {
  expect(parseCpuInfo(hostFile('rocky-9-epyc-bond', 'proc/cpuinfo'))).toMatchObject({
    sockets: 2,
    cores: 128,
    threads: 256,
  });
});

test('RISC-V names its microarchitecture, LoongArch capitalizes, old ARM has one name for all', () => {
  const riscv = 'processor\t: 0\nhart\t\t: 1\nisa\t\t: rv64imafdc\nuarch\t\t: sifive,u74-mc\n';
  expect(parseCpuInfo(riscv)).toMatchObject({ model: 'sifive,u74-mc', vendor: null, threads: 1 });
  const loongarch = 'system type\t: generic\n\nprocessor\t\t: 0\nModel Name\t\t: Loongson-3A5000\n';
  expect(parseCpuInfo(loongarch).model).toBe('Loongson-3A5000');
  const arm =
    'Processor\t: ARMv7 Processor rev 2 (v7l)\nprocessor\t: 0\n\nprocessor\t: 1\n\nHardware\t: sun8i\n';
  expect(parseCpuInfo(arm)).toMatchObject({ model: 'ARMv7 Processor rev 2 (v7l)', threads: 2 });
});

test('part of a topology is none', () => {
  const cpuinfo = 'processor: 0\nphysical id: 0\ncore id: 0\n\nprocessor: 1\nphysical id: 0\n';
  expect(parseCpuInfo(cpuinfo)).toMatchObject({ sockets: 1, cores: null, threads: 2 });
});

test.runIf(isLinux)('what it is gets read again when a processor goes offline', async () => {
  const cpuinfo = hostFile('debian-13-laptop', 'proc/cpuinfo');
  const root = await temporaryFolder({
    'node-os.json': '{}',
    'proc/cpuinfo': cpuinfo,
    'sys/devices/system/cpu/online': '0-15\n',
  });
  const context = collectContext(root);
  expect(await collectChecked(cpu, context)).toMatchObject({ cores: 8, threads: 16 });
  const fewer = await temporaryFolder({
    'node-os.json': '{}',
    'proc/cpuinfo': cpuinfo.split('\n\n').slice(0, 14).join('\n\n'),
    'sys/devices/system/cpu/online': '0-13\n',
  });
  expect(await collectChecked(cpu, { ...context, root: fewer })).toMatchObject({ cores: 7, threads: 14 });
});

test.runIf(isLinux)('a processor that is offline in the middle is not counted by its siblings', async () => {
  const topology = (id: number, threads: string) => ({
    [`sys/devices/system/cpu/cpu${id}/topology/thread_siblings_list`]: threads,
    [`sys/devices/system/cpu/cpu${id}/topology/core_siblings_list`]: '0,2-3',
    [`sys/devices/system/cpu/cpu${id}/topology/physical_package_id`]: '0',
  });
  const root = await temporaryFolder({
    'node-os.json': '{}',
    'sys/devices/system/cpu/online': '0,2-3\n',
    ...topology(0, '0'),
    ...topology(2, '2-3'),
    ...topology(3, '2-3'),
  });
  const values = await collectChecked(cpu, collectContext(root));
  expect(values).toMatchObject({ sockets: 1, cores: 2, threads: 3 });
});

test.runIf(isLinux)('firmware that does not number packages has unknown sockets', async () => {
  const root = await temporaryFolder({
    'node-os.json': '{}',
    'sys/devices/system/cpu/online': '0\n',
    'sys/devices/system/cpu/cpu0/topology/physical_package_id': '-1\n',
    'sys/devices/system/cpu/cpu0/topology/thread_siblings_list': '0\n',
    'sys/devices/system/cpu/cpu0/topology/core_siblings_list': '0\n',
  });
  expect(await collectChecked(cpu, collectContext(root))).toMatchObject({ sockets: null, cores: 1 });
});

test.runIf(isLinux)('the second collection reads no processor facts', async () => {
  const context = collectContext(hostRoot('rocky-9-epyc-bond'));
  const first = await collectChecked(cpu, context);
  const root = await temporaryFolder({ 'sys/devices/system/cpu/online': '0-255\n', 'node-os.json': '{}' });
  const second = await collectChecked(cpu, { ...context, root });
  expect(second.model).toBe(first.model);
});

test('systeminformation has empty text and 0 for unknown', () => {
  const answer = {
    manufacturer: 'Apple',
    brand: 'M2',
    vendor: '',
    speed: 2.4,
    speedMax: 3.49,
    cores: 8,
    physicalCores: 8,
    processors: 1,
    flags: '',
  };
  expect(toPortableCpu({ cpu: answer, machine: 'arm64' })).toEqual({
    model: 'M2',
    vendor: 'Apple',
    architecture: 'arm64',
    sockets: 1,
    cores: 8,
    threads: 8,
    baseFrequency: 2_400_000_000,
    maxFrequency: 3_490_000_000,
    microcode: null,
    virtualization: null,
    hypervisor: null,
  });
});
