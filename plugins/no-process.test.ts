/**
 * On Linux no built-in plugin but `updates` starts a process, shown in two ways: Node.js announces each process it
 * starts on a diagnostics channel, except those it waits for; a Node.js that may not start any would fail.
 * `updates` asks the package manager, and once only as long as neither packages nor lists change.
 */
import { execFileSync, spawn } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { collectContext, collectIfAny } from '../test/support/recorded-hosts.ts';
import { loadBuiltinPlugins } from './index.ts';
import updates from './updates.ts';

const isLinux = process.platform === 'linux';

async function countProcesses(run: () => Promise<unknown>): Promise<number> {
  let started = 0;
  const count = () => started++;
  subscribe('child_process', count);
  try {
    await run();
  } finally {
    unsubscribe('child_process', count);
  }
  return started;
}

test('the channel tells of a process', async () => {
  const started = await countProcesses(() => once(spawn(process.execPath, ['--version']), 'exit'));
  expect(started).toBe(1);
});

/** Facts that only a program tells, by plugin: null, with a problem, where none may be started. */
const askedFacts: Record<string, readonly string[]> = {
  updates: ['pendingCount', 'pendingSecurityCount', 'pending', 'problem'],
};

test.runIf(isLinux)('first and second collection start none', async () => {
  const all = await loadBuiltinPlugins();
  const plugins = all.filter(({ name }) => askedFacts[name] === undefined);
  const caches = plugins.map(() => new Map<string, unknown>());
  const collectAll = () =>
    Promise.all(plugins.map((plugin, at) => collectIfAny(plugin, collectContext('/', caches[at]))));
  expect(await countProcesses(collectAll)).toBe(0);
  expect(await countProcesses(collectAll)).toBe(0);
});

test.runIf(isLinux)('updates starts none once it has asked the package manager', async () => {
  const context = collectContext('/');
  expect(await countProcesses(() => collectIfAny(updates, context))).toBeLessThanOrEqual(2);
  expect(await countProcesses(() => collectIfAny(updates, context))).toBe(0);
});

/** Facts that others on this host may change between one collection and the next. */
const movingFacts: Record<string, readonly string[]> = { listening: ['sockets'], services: ['services'] };

/** What a Node.js under the permission model prints, which may read any file but start no process. */
function runConfined(script: string): string {
  const flags = ['--permission', '--allow-fs-read=*', '--input-type=module', '--eval', script];
  return execFileSync(process.execPath, flags, { encoding: 'utf8' });
}

test.runIf(isLinux)('the permission model refuses a process', () => {
  const script = `
    import { execSync } from 'node:child_process';
    try { execSync('true'); } catch (error) { console.log(error.code); }`;
  expect(runConfined(script).trim()).toBe('ERR_ACCESS_DENIED');
});

test.runIf(isLinux)('where no process may be started, they tell the same', async () => {
  const file = (name: string) => JSON.stringify(join(import.meta.dirname, name));
  const script = `
    const { loadBuiltinPlugins } = await import(${file('index.ts')});
    const told = {};
    for (const plugin of await loadBuiltinPlugins()) {
      const options = plugin.options?.parse({}) ?? {};
      const context = { root: '/', options, signal: AbortSignal.timeout(30_000), cache: new Map() };
      await plugin.collect(context);
      const values = await plugin.collect(context);
      told[plugin.name] = values && Object.fromEntries(Object.keys(plugin.facts).map((name) => [name, values[name] ?? null]));
    }
    console.log(JSON.stringify(told));`;
  const told = JSON.parse(runConfined(script));
  for (const plugin of await loadBuiltinPlugins()) {
    const values = await collectIfAny(plugin, collectContext('/'));
    const facts =
      values && Object.fromEntries(Object.keys(plugin.facts).map((name) => [name, values[name] ?? null]));
    for (const name of [...(askedFacts[plugin.name] ?? []), ...(movingFacts[plugin.name] ?? [])]) {
      if (facts) facts[name] = told[plugin.name][name];
    }
    expect(told[plugin.name]).toEqual(facts);
  }
});

test.runIf(isLinux)('systeminformation is not loaded', () => {
  const script = `
    import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
    const { loadBuiltinPlugins } = await import(${JSON.stringify(join(import.meta.dirname, 'index.ts'))});
    for (const plugin of await loadBuiltinPlugins()) {
      const options = plugin.options?.parse({}) ?? {};
      await plugin.collect({ root: '/', options, signal: AbortSignal.timeout(30_000), cache: new Map() });
    }
    console.log(loaded.filter((url) => url.includes('systeminformation')).length, loaded.length > 4);`;
  expect(runConfined(script).trim()).toBe('0 true');
});
