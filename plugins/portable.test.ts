/**
 * The collectors for systems other than Linux, run on whatever system this is: systeminformation
 * answers on all of them.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import os from 'node:os';
import { describe, expect, test } from 'vitest';
import { collectChecked, collectContext } from '../test/support/recorded-hosts.ts';
import cpu from './cpu.ts';
import disk from './disk.ts';
import hardware from './hardware.ts';
import memory from './memory.ts';
import network from './network.ts';
import osPlugin from './os.ts';
import processes from './processes.ts';
import { collectCpuElsewhere } from './sources/cpu.portable.ts';
import { collectDiskElsewhere } from './sources/disk.portable.ts';
import { collectHardwareElsewhere } from './sources/hardware.portable.ts';
import { collectMemoryElsewhere } from './sources/memory.portable.ts';
import { collectNetworkElsewhere } from './sources/network.portable.ts';
import { collectOsElsewhere } from './sources/os.portable.ts';
import { collectProcessesElsewhere } from './sources/processes.portable.ts';
import { collectUserElsewhere } from './sources/user.portable.ts';
import user from './user.ts';

const plugins = [
  { ...cpu, collect: collectCpuElsewhere },
  { ...osPlugin, collect: collectOsElsewhere },
  { ...network, collect: collectNetworkElsewhere },
  { ...hardware, collect: collectHardwareElsewhere },
];

describe.each(plugins)('$name', (plugin) => {
  test('what it gives fits its declaration, and is asked for once', async () => {
    const context = collectContext('/');
    const first = await collectChecked(plugin, context);
    let started = 0;
    const count = () => started++;
    subscribe('child_process', count);
    const second = await collectChecked(plugin, context);
    unsubscribe('child_process', count);
    expect(started).toBe(0);
    for (const fact of Object.keys(plugin.facts)) expect(second[fact]).toEqual(first[fact]);
  });
});

test('the facts that every system tells are there', async () => {
  const values = {
    ...(await collectCpuElsewhere(collectContext('/'))),
    ...(await collectOsElsewhere(collectContext('/'))),
  };
  expect(values).toMatchObject({
    threads: os.cpus().length,
    platform: process.platform,
    hostname: os.hostname(),
    kernel: os.release(),
  });
});

test('user: what it gives fits its declaration', async () => {
  const values = await collectChecked({ ...user, collect: collectUserElsewhere }, collectContext('/'));
  expect(values.sessionCount).toBe((values.sessions as unknown[]).length);
});

test('memory: what it gives fits its declaration and agrees with node:os', async () => {
  const values = await collectChecked({ ...memory, collect: collectMemoryElsewhere }, collectContext('/'));
  expect(values.totalBytes).toBe(os.totalmem());
});

test('disk: what it gives fits its declaration', async () => {
  const values = await collectChecked({ ...disk, collect: collectDiskElsewhere }, collectContext('/'));
  expect((values.usage as unknown[]).length).toBe((values.filesystems as unknown[]).length);
});

test('processes: what it gives fits its declaration, with as many as asked for', async () => {
  const context = { ...collectContext('/'), options: { top: 2 } };
  const values = await collectChecked({ ...processes, collect: collectProcessesElsewhere }, context);
  expect(values.total).toBeGreaterThan(1);
  expect(values.topByMemory).toHaveLength(2);
});
