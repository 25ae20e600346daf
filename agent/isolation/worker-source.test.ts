/** What plugins that go wrong in every way cost: their own result and nothing else. With real threads. */
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../test/support/eventually.ts';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import { createCollector, type Pace } from '../collect.ts';
import { checkConfig } from '../config.ts';
import { closePlugins, loadConfiguredPlugins } from '../configured-plugins.ts';
import type { PluginResult } from '../report.ts';

/** A plugin whose collect does this. */
const pluginThat = (collect: string, name = 'probe') => `
  import { writeFileSync } from 'node:fs';
  import { count, definePlugin, list, text } from 'os-inspector/plugin';
  export default definePlugin({
    name: '${name}', version: 1, description: 'x',
    facts: { n: count('n'), names: list('names', text('name')) },
    async collect({ signal, cache, root }) {
      const calls = (cache.get('calls') ?? 0) + 1;
      ${collect}
    },
  });`;
const counting = 'cache.set("calls", calls); return { n: calls };';

type Settings = { timeout?: string; memory?: string };
type Host = {
  /** The result of the plugin that goes wrong; that of the other is asserted to be right. */
  collect(): Promise<PluginResult | undefined>;
  /** Folder of the plugin. */
  root: string;
  strays: string[];
};

/** A host with this plugin and one that counts. */
async function hostWith(collect: string, settings: Settings = {}, pace?: Pace): Promise<Host> {
  const root = await temporaryFolder({
    'probe.ts': pluginThat(collect),
    'good.ts': pluginThat(counting, 'good'),
  });
  const { plugins: entries } = checkConfig({
    timeout: '60s',
    plugins: [{ use: './probe.ts', ...settings }, './good.ts'],
  });
  const strays: string[] = [];
  const onStray = (use: string, error: string) => strays.push(`${use}: ${error}`);
  const { plugins, problems } = await loadConfiguredPlugins(entries, root, { onStray });
  onTestFinished(() => closePlugins(plugins));
  expect(problems).toEqual([]);
  const collector = createCollector(plugins, { root, platform: process.platform, pace });
  const stop = new AbortController().signal;
  return {
    root,
    strays,
    async collect() {
      const [probe, good] = await collector.collect(stop);
      expect(good).toMatchObject({ plugin: 'good', status: 'OK' });
      return probe;
    },
  };
}

/** The next result that is not of a collection still going on. */
function next(host: Host): Promise<PluginResult> {
  return eventually('the thread has ended', async () => {
    const result = await host.collect();
    return result?.error === 'the previous collection has not ended' ? null : result;
  });
}

const once = (first: string) =>
  `
  if (!existsSync(root + '/done')) { writeFileSync(root + '/done', ''); ${first} }
  ${counting}`.replace('existsSync', "(await import('node:fs')).existsSync");

test.each([
  ['loops for ever', 'for (;;);'],
  ['loops for ever in steps', 'for (;;) await null;'],
  ['never comes back', 'await new Promise(() => {});'],
  ['comes back too late', 'await new Promise((resolve) => setTimeout(resolve, 900));'],
  ['waits for another thread', 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);'],
])('one that %s is ended at its timeout, and started anew', async (_, first) => {
  const host = await hostWith(once(first), { timeout: '600ms' });
  expect(await host.collect()).toMatchObject({
    status: 'TIMEOUT',
    facts: null,
    error: 'took longer than 600ms',
  });
  expect(await next(host)).toMatchObject({ status: 'OK', facts: { n: 1 } });
  expect(await host.collect()).toMatchObject({ status: 'OK', facts: { n: 2 } });
});

test('one that heeds its signal keeps its thread, and so its cache', async () => {
  const heeding = `
    cache.set('calls', calls);
    if (calls === 2) await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    return { n: calls };`;
  const host = await hostWith(heeding, { timeout: '600ms' });
  expect(await host.collect()).toMatchObject({ status: 'OK', facts: { n: 1 } });
  expect(await host.collect()).toMatchObject({ status: 'TIMEOUT' });
  expect(await next(host)).toMatchObject({ status: 'OK', facts: { n: 3 } });
});

const tooMuch = (MiB: number) => `took more than ${MiB} MiB of memory: raise its "memory" in the config`;

test.each([
  ['objects', 'const all = []; for (;;) all.push({});'],
  ['a map, which V8 cannot bound', 'const all = new Map(); for (let i = 0; ; i += 1) all.set(i, i);'],
  ['a list, which V8 cannot bound', 'const all = []; for (;;) all.push(1);'],
  ['buffers', 'const all = []; for (;;) all.push(Buffer.alloc(1_000_000, 1));'],
])('one that takes all memory as %s is ended, and started anew', async (_, first) => {
  const host = await hostWith(once(first), { memory: '48MiB' });
  const error = expect.stringContaining(tooMuch(48));
  expect(await host.collect()).toMatchObject({ status: 'ERROR', facts: null, error });
  expect(await host.collect()).toMatchObject({ status: 'OK', facts: { n: 1 } });
});

test('one that may take more memory does', async () => {
  const taking = 'globalThis.all = Buffer.alloc(200_000_000, 1); return { n: all.length };';
  const host = await hostWith(taking, { memory: '1GiB' });
  expect(await host.collect()).toMatchObject({ status: 'OK', facts: { n: 200_000_000 } });
  expect(await host.collect()).toMatchObject({ status: 'OK' });
});

test.each([
  ['calls process.exit', 'process.exit(7);', 'called process.exit(7)'],
  ['throws', 'throw new Error("no sensor");', 'no sensor'],
  ['returns a function', 'return { n: () => 1 };', 'wrong facts: n: '],
  ['returns what cannot be sent', 'return { n: 1, names: [new WeakRef({})] };', 'wrong facts: names.0: '],
  [
    'returns what throws when read',
    'return new Proxy({}, { ownKeys: () => { throw new Error("boo"); } });',
    'boo',
  ],
  [
    'returns far too much',
    'return { n: 1, names: Array(1000).fill("x".repeat(60_000)) };',
    'collected too much: 57.2 MiB as JSON, and at most 8.0 MiB can be reported',
  ],
])('one that %s costs its own result, and the next is right', async (_, first, error) => {
  const host = await hostWith(once(first));
  expect(await host.collect()).toMatchObject({
    status: 'ERROR',
    facts: null,
    readings: null,
    error: expect.stringContaining(error),
  });
  expect(await host.collect()).toMatchObject({ status: 'OK', facts: { n: 1 } });
});

test('what one leaves behind is told, a bounded number of times, and does not end it', async () => {
  const host = await hostWith(`
    Promise.reject(new Error('nobody awaits me'));
    if (calls === 1) setInterval(() => { throw new Error('nobody catches me'); }, 1);
    ${counting}`);
  expect(await host.collect()).toMatchObject({ status: 'OK', facts: { n: 1 } });
  await eventually('five errors', () => host.strays.length >= 5);
  expect(host.strays[0]).toMatch(/^\.\/probe\.ts: Error: nobody awaits me\n/);
  expect(host.strays[1]).toMatch(/^\.\/probe\.ts: Error: nobody catches me\n/);
  expect(await host.collect()).toMatchObject({ status: 'OK', facts: { n: 2 } });
  await eventually('more of the second time', () => host.strays.length === 10);
  expect(await host.collect()).toMatchObject({ status: 'OK', facts: { n: 3 } });
});

test('one that takes memory when nobody asks it is ended, and started anew', async () => {
  const host = await hostWith(
    `cache.set('calls', calls);
     if (!globalThis.all) { globalThis.all = []; setInterval(() => all.push(Buffer.alloc(1_000_000, 1)), 1); }
     return { n: calls };`,
    { memory: '64MiB' },
  );
  expect(await host.collect()).toMatchObject({ status: 'OK', facts: { n: 1 } });
  await eventually('its thread is another', async () => (await host.collect())?.facts?.n === 1);
});

test('options are checked and completed in the thread, so that they may hold functions', async () => {
  const root = await temporaryFolder({
    'probe.mjs': `import { count, definePlugin, text, z } from 'os-inspector/plugin';
      export default definePlugin({
        name: 'probe', version: 1, description: 'x', facts: { n: count('n'), at: text('at') },
        options: z.object({ n: z.string().transform((digits) => ({ value: () => Number(digits) })) }),
        collect: async ({ options, root }) => ({ n: options.n.value(), at: root }),
      });`,
  });
  const { plugins: entries } = checkConfig({
    plugins: [{ use: join(root, 'probe.mjs'), options: { n: '7' } }],
  });
  const { plugins } = await loadConfiguredPlugins(entries, '/', {
    onStray: (_, error) => expect.fail(error),
  });
  onTestFinished(() => closePlugins(plugins));
  const outcome = await plugins[0]?.source.collect(new AbortController().signal, '/host');
  expect(outcome).toMatchObject({ facts: { n: 7, at: '/host' } });
});

/** Facts of `threadId`, which tells a new thread from the one before. */
const telling = (more: string) => `
  const { threadId } = await import('node:worker_threads');
  ${more}
  return { n: threadId };`;

test.each([
  ['seldom asked is ended in between', '', 3_600_000, false],
  ['seldom asked that keeps something stays', 'cache.set("calls", calls);', 3_600_000, true],
  ['asked every minute stays', '', 60_000, true],
])('a thread that is %s', async (_, more, intervalMs, stays) => {
  let now = 0;
  const moment = () => ({ now, wallNow: now });
  const host = await hostWith(telling(more), {}, { hostId: 'a host', intervalMs, moment });
  const first = await host.collect();
  now += intervalMs;
  const second = await host.collect();
  expect(first?.status).toBe('OK');
  expect(second?.status).toBe('OK');
  expect(first?.facts?.n === second?.facts?.n).toBe(stays);
});

test('a stop ends a collection at once', async () => {
  const root = await temporaryFolder({ 'probe.ts': pluginThat('for (;;);') });
  const { plugins: entries } = checkConfig({ plugins: ['./probe.ts'] });
  const { plugins } = await loadConfiguredPlugins(entries, root, { onStray: () => {} });
  const stop = new AbortController();
  const collected = createCollector(plugins, { root, platform: process.platform }).collect(stop.signal);
  stop.abort(new Error('told to stop'));
  await expect(collected).rejects.toThrow('told to stop');
  await closePlugins(plugins);
});
