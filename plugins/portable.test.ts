/**
 * The collectors for systems other than Linux, run on whatever system this is: systeminformation
 * answers on all of them.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import os from 'node:os';
import { describe, expect, test } from 'vitest';
import { collectChecked, collectContext } from '../test/support/recorded-hosts.ts';
import cpu from './cpu.ts';
import network from './network.ts';
import osPlugin from './os.ts';
import { collectCpuElsewhere } from './sources/cpu.portable.ts';
import { collectNetworkElsewhere } from './sources/network.portable.ts';
import { collectOsElsewhere } from './sources/os.portable.ts';
import { collectUserElsewhere } from './sources/user.portable.ts';
import user from './user.ts';

const plugins = [
  { ...cpu, collect: collectCpuElsewhere },
  { ...osPlugin, collect: collectOsElsewhere },
  { ...network, collect: collectNetworkElsewhere },
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
