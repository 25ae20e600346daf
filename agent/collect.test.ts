import { expect, test } from 'vitest';
import { type AnyPlugin, type CollectContext, count, definePlugin, list, text } from '../plugins/plugin.ts';
import { createCollector } from './collect.ts';
import type { ConfiguredPlugin } from './configured-plugins.ts';
import { inThisThread } from './isolation/plugin-source.ts';
import type { PluginResult } from './report.ts';

type Collect = (context: CollectContext) => unknown;

/** A plugin that collects whatever a test wants, right or wrong. */
function pluginThat(collect: Collect, more: Partial<AnyPlugin> = {}): AnyPlugin {
  const facts = { threads: count('Threads') };
  return definePlugin({
    name: 'probe',
    version: 3,
    description: 'Probe',
    facts,
    ...more,
    collect,
  } as AnyPlugin);
}

type Settings = { timeoutMs?: number; intervalMs?: number; options?: unknown };

const modules = { files: [], stamp: '' };

function configured(plugin: AnyPlugin, settings: Settings = {}): ConfiguredPlugin {
  const { timeoutMs = 60_000, intervalMs = null, options = {} } = settings;
  return { plugin, timeoutMs, intervalMs, source: inThisThread(plugin, options), key: plugin.name, modules };
}

const host = { root: '/', platform: 'linux' } as const;
const running = new AbortController().signal;

async function collectOne(collect: Collect, more: Partial<AnyPlugin> = {}, timeoutMs = 60_000) {
  const collector = createCollector([configured(pluginThat(collect, more), { timeoutMs })], host);
  return (await collector.collect(running))[0];
}

test('facts and readings are parted, in declared order, and what is left out is null', async () => {
  const declaration = {
    facts: { b: count('B'), a: text('A') },
    readings: { free: count('Free'), disks: list('Disks', { name: text('Name'), size: count('Size') }) },
  };
  const result = await collectOne(async () => ({ free: 5, a: 'x', disks: [{ name: 'sda' }] }), declaration);
  expect(result).toEqual({
    plugin: 'probe',
    version: 3,
    status: 'OK',
    durationMs: expect.any(Number),
    facts: { b: null, a: 'x' },
    readings: { free: 5, disks: [{ name: 'sda', size: null }] },
    error: null,
  });
  expect(Object.keys(result?.facts ?? {})).toEqual(['b', 'a']);
});

test('a plugin is given its options, the root and a cache of its own that stays', async () => {
  const seen: CollectContext[] = [];
  const counting: Collect = async (context) => {
    seen.push(context);
    const threads = ((context.cache.get('n') as number) ?? 0) + 1;
    context.cache.set('n', threads);
    return { threads };
  };
  const plugins = [
    configured(pluginThat(counting), { options: { row: 7 } }),
    configured(pluginThat(counting, { name: 'other' })),
  ];
  const collector = createCollector(plugins, { root: '/host', platform: 'linux' });
  await collector.collect(running);
  const results = await collector.collect(running);
  expect(results.map(({ facts }) => facts)).toEqual([{ threads: 2 }, { threads: 2 }]);
  expect(seen[0]).toMatchObject({ options: { row: 7 }, root: '/host' });
});

const failing: [string, Collect, string][] = [
  ['rejects', () => Promise.reject(new Error('no sensor')), 'no sensor'],
  [
    'throws at once',
    () => {
      throw new TypeError('row is undefined');
    },
    'row is undefined',
  ],
  ['throws text', () => Promise.reject('just text'), 'just text'],
  ['throws nothing', () => Promise.reject(undefined), 'undefined'],
  ['throws an object', () => Promise.reject({ code: 5 }), '{"code":5}'],
  ['throws an empty error', () => Promise.reject(new RangeError('')), 'RangeError'],
  ['throws what cannot be shown', () => Promise.reject(Object.create(null)), '{}'],
  ['throws lines', () => Promise.reject(new Error('one\n  two')), 'one two'],
  ['has a cause', () => Promise.reject(new Error('a', { cause: new Error('b') })), 'a: b'],
  ['returns nothing', async () => undefined, 'what collect returned: must be an object'],
  ['returns a list', async () => [], 'what collect returned: must be an object'],
  ['returns no promise', () => 5, 'what collect returned: must be an object'],
  ['returns a wrong fact', async () => ({ threads: 'four' }), 'threads: '],
  [
    'returns an undeclared fact',
    async () => ({ thread: 4 }),
    'thread: is not declared, did you mean "threads"?',
  ],
  ['returns what throws when read', async () => new Proxy({}, { ownKeys: () => [].at(0) as never }), ''],
];

test.each(failing)('a plugin that %s costs only its own result', async (_, collect, message) => {
  const good = pluginThat(async () => ({ threads: 4 }), { name: 'good' });
  const collector = createCollector([configured(pluginThat(collect)), configured(good)], host);
  const [bad, other] = await collector.collect(running);
  expect(bad).toMatchObject({ status: 'ERROR', facts: null, readings: null });
  expect(bad?.error).toContain(message);
  expect(other).toMatchObject({ plugin: 'good', status: 'OK', facts: { threads: 4 } });
});

test('an error is bounded', async () => {
  const result = await collectOne(() => Promise.reject(new Error('x'.repeat(100_000))));
  expect(result?.error?.length).toBe(1_000);
});

test('nothing to report and a foreign platform are skipped quietly', async () => {
  const skipped = { status: 'SKIPPED', facts: null, readings: null, error: null };
  expect(await collectOne(async () => null)).toMatchObject(skipped);
  const collect = () => Promise.reject(new Error('must not be called'));
  expect(await collectOne(collect, { platforms: ['darwin'] })).toMatchObject(skipped);
});

test('a plugin that heeds its signal times out', async () => {
  const heeding: Collect = ({ signal }) =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(new Error('given up')));
    });
  const result = await collectOne(heeding, {}, 20);
  expect(result).toMatchObject({ status: 'TIMEOUT', facts: null, error: 'took longer than 20ms' });
});

test('a plugin that hangs times out and is not started again on top, until it comes back', async () => {
  let calls = 0;
  let comeBack: (facts: object) => void = () => {};
  const hanging: Collect = () => {
    calls += 1;
    return calls > 1 ? Promise.resolve({ threads: 2 }) : new Promise((resolve) => (comeBack = resolve));
  };
  const collector = createCollector([configured(pluginThat(hanging), { timeoutMs: 20 })], host);
  const collect = async () => (await collector.collect(running))[0];
  expect(await collect()).toMatchObject({ status: 'TIMEOUT', error: 'took longer than 20ms' });
  expect(await collect()).toMatchObject({
    status: 'TIMEOUT',
    error: 'the previous collection has not ended',
  });
  expect(calls).toBe(1);
  comeBack({ threads: 1 });
  await new Promise((resolve) => setImmediate(resolve));
  expect(await collect()).toMatchObject({ status: 'OK', facts: { threads: 2 } });
});

test('plugins run side by side and results keep the order of the config', async () => {
  let arrived = 0;
  let open: () => void = () => {};
  const all = new Promise<void>((resolve) => (open = resolve));
  const meeting: Collect = async () => {
    arrived += 1;
    if (arrived === 3) open();
    await all;
    return { threads: 1 };
  };
  const plugins = ['c', 'a', 'b'].map((name) => configured(pluginThat(meeting, { name })));
  const results = await createCollector(plugins, host).collect(running);
  expect(results.map(({ plugin, status }) => `${plugin} ${status}`)).toEqual(['c OK', 'a OK', 'b OK']);
});

test('a stop ends collecting at once, whatever plugins do', async () => {
  const stop = new AbortController();
  let seen: AbortSignal | null = null;
  const hanging: Collect = ({ signal }) => {
    seen = signal;
    stop.abort(new Error('told to stop'));
    return new Promise(() => {});
  };
  const collector = createCollector([configured(pluginThat(hanging))], host);
  await expect(collector.collect(stop.signal)).rejects.toThrow('told to stop');
  expect(seen).toMatchObject({ aborted: true });
  await expect(collector.collect(stop.signal)).rejects.toThrow('told to stop');
});

/** A daemon's collector on a clock that a test moves. */
function paced(plugin: ConfiguredPlugin, hostId = 'a') {
  let now = 0;
  const moment = () => ({ now, wallNow: Date.UTC(2026, 0, 1) + now });
  const collector = createCollector([plugin], { ...host, pace: { hostId, intervalMs: minute, moment } });
  return async (at: number) => {
    now = at;
    return (await collector.collect(running))[0];
  };
}

const minute = 60_000;
const measuring = { readings: { free: count('Free') } };

test('until its interval is over, reports carry the facts of a plugin, and no readings', async () => {
  let threads = 0;
  const plugin = pluginThat(async () => ({ threads: ++threads, free: threads }), measuring);
  const collect = paced(configured(plugin, { intervalMs: 10 * minute }));
  const results: (PluginResult | undefined)[] = [];
  for (let at = 0; at < 30 * minute; at += minute) results.push(await collect(at));
  const asked = results.filter((result) => result?.durationMs !== null);
  expect(asked.map((result) => result?.facts)).toEqual([1, 2, 3, 4].map((threads) => ({ threads })));
  const [first, second] = asked.map((result) => results.indexOf(result));
  for (const carried of results.slice((first ?? 0) + 1, second)) {
    expect(carried).toEqual({
      ...{ plugin: 'probe', version: 3, status: 'OK', durationMs: null, facts: { threads: 1 } },
      ...{ readings: null, error: null },
    });
  }
});

test('the same plugin with other times goes on as it is, by the new ones', async () => {
  const asked: number[] = [];
  let now = 0;
  const pace = { hostId: 'a', intervalMs: minute, moment: () => ({ now, wallNow: now }) };
  const plugin = pluginThat(async ({ signal, cache }) => {
    asked.push(now / minute);
    cache.set('calls', asked.length);
    if (asked.length === 3) await new Promise((resolve) => signal.addEventListener('abort', resolve));
    return { threads: cache.size };
  });
  const first = configured(plugin, { intervalMs: 60 * minute });
  const collector = createCollector([first], { ...host, pace });
  const until = async (end: number) => {
    for (; now < end * minute; now += minute) await collector.collect(running);
  };
  await until(3);
  expect(asked).toEqual([0]);
  collector.replace([{ ...first, intervalMs: null, timeoutMs: 1 }], pace);
  await until(4);
  expect(asked).toEqual([0, 3]);
  expect(await collector.collect(running)).toMatchObject([
    { status: 'TIMEOUT', error: 'took longer than 1ms' },
  ]);
});

test('a plugin with nothing to report is asked no more often than another', async () => {
  let calls = 0;
  const plugin = pluginThat(async () => {
    calls += 1;
    return null;
  });
  const collect = paced(configured(plugin, { intervalMs: 31 * 24 * 60 * minute }));
  for (let at = 0; at < 30 * minute; at += minute) {
    expect(await collect(at)).toMatchObject({ status: 'SKIPPED', facts: null, error: null });
  }
  expect(calls).toBe(1);
});

test('a plugin that keeps failing is tried ever more rarely and says so, until it succeeds', async () => {
  const tries: number[] = [];
  let at = 0;
  let works = false;
  const plugin = pluginThat(async () => {
    tries.push(at / minute);
    if (!works) throw new Error('no sensor');
    return { threads: 4 };
  });
  const collect = paced(configured(plugin));
  for (; at < 200 * minute; at += minute) {
    const result = await collect(at);
    if (tries.at(-1) === at / minute) expect(result).toMatchObject({ status: 'ERROR', error: 'no sensor' });
    else expect(result).toMatchObject({ status: 'SKIPPED', durationMs: null, facts: null });
    if (at !== 5 * minute) continue;
    const waits = 'failed 3 times, is tried again at 2026-01-01T00:07:00Z; last: no sensor';
    expect(result?.error).toBe(waits);
  }
  expect(tries.slice(0, 7)).toEqual([0, 1, 3, 7, 15, 30, 59]);
  works = true;
  const recovered = [];
  for (; at < 270 * minute; at += minute) recovered.push(await collect(at));
  const first = recovered.findIndex((result) => result?.status === 'OK');
  expect(first).toBeGreaterThan(-1);
  expect(recovered.slice(first).every((result) => result?.durationMs !== null)).toBe(true);
});

test('a failure later on is reported as such, and what was known before is not told as if it held', async () => {
  let calls = 0;
  const plugin = pluginThat(async () => {
    calls += 1;
    if (calls > 1) throw new Error('no sensor');
    return { threads: 4 };
  });
  const collect = paced(configured(plugin, { intervalMs: 2 * minute }));
  await collect(0);
  const results = [await collect(2 * minute), await collect(3 * minute)];
  expect(results).toMatchObject([
    { status: 'ERROR', facts: null, error: 'no sensor' },
    { status: 'SKIPPED', facts: null, error: expect.stringMatching(/^failed once, .*; last: no sensor$/) },
  ]);
});
