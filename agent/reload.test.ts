import { expect, test } from 'vitest';
import { eventually } from '../test/support/eventually.ts';
import { recordingLog } from '../test/support/recording-log.ts';
import type { ConfiguredPlugin } from './configured-plugins.ts';
import { createReloader } from './reload.ts';
import { ConfigError, type Setup } from './setup.ts';

type Plugin = ConfiguredPlugin & { closed: number };

function plugin(name: string): Plugin {
  const made: Plugin = {
    plugin: { name, version: 1, description: name, facts: {} },
    ...{ timeoutMs: 1, intervalMs: null, key: name, closed: 0 },
    modules: { files: [], stamp: '' },
    source: {
      collect: async () => ({ status: 'OK', facts: {}, readings: null, error: null }),
      close: async () => {
        made.closed += 1;
      },
    },
  };
  return made;
}

function setup(plugins: Plugin[], intervalMs = 60_000, token: string | null = null): Setup {
  const files = {
    tokenFrom: null,
    enrolmentFrom: null,
    tlsFiles: { ca: null, clientCert: null, clientKey: null },
  };
  const config = { url: 'http://x/', ...files, intervalMs, redact: [], labels: {}, plugins: [] };
  const spool = { maxBytes: 1, maxAgeMs: 1 };
  return {
    configPath: '/c',
    config: { ...config, spool, log: { format: null, level: 'info' }, metricsAt: null },
    access: { token, enrolment: null, tls: { ca: null, cert: null, key: null } },
    warnings: [],
    plugins,
    files: [],
  };
}

/** A reloader whose loads end when and as the test says. */
function start(current: Setup) {
  const log = recordingLog();
  const loads: { previous: Setup; end: PromiseWithResolvers<Setup> }[] = [];
  const load = (previous: Setup) => {
    const end = Promise.withResolvers<Setup>();
    loads.push({ previous, end });
    return end.promise;
  };
  let ready = 0;
  const onReady = () => {
    ready += 1;
  };
  const reloader = createReloader({ current, load, onReady, log });
  const loading = (count: number) => eventually(`${count} loads`, () => loads.length === count);
  return {
    reloader,
    log,
    loads,
    loading,
    ready: (count: number) => eventually('ready', () => ready === count),
  };
}

test('what was read is current once it is taken, and what it does not name is closed then', async () => {
  const [kept, gone, more] = [plugin('kept'), plugin('gone'), plugin('more')];
  const { reloader, log, loads, ready } = start(setup([kept, gone]));
  expect(await reloader.take()).toBeNull();
  reloader.request('SIGHUP');
  const next = setup([more, kept], 30_000, 's3cret');
  loads[0]?.end.resolve(next);
  await ready(1);
  expect(gone.closed).toBe(0);
  expect(await reloader.take()).toBe(next);
  expect(reloader.current()).toBe(next);
  expect([kept.closed, gone.closed, more.closed]).toEqual([0, 1, 0]);
  const fields = { changed: ['api.token', 'interval', 'plugins'], started: ['more'], ended: ['gone'] };
  expect(log.lines).toEqual([{ level: 'info', message: 'config reloaded', fields }]);
  expect(JSON.stringify(log.lines)).not.toContain('s3cret');
  expect(await reloader.take()).toBeNull();
});

test('what is wrong changes nothing, and is told with its problems', async () => {
  const first = setup([plugin('kept')]);
  const { reloader, log, loads } = start(first);
  reloader.request('a file changed');
  loads[0]?.end.reject(new ConfigError('agent.config.json has 1 problem:\n  interval: must be …'));
  await eventually('it is told', () => log.lines.length === 1);
  expect(log.lines[0]).toMatchObject({
    message: 'config not taken, the old one stays',
    fields: { why: 'a file changed', cause: 'agent.config.json has 1 problem:\n  interval: must be …' },
  });
  expect(await reloader.take()).toBeNull();
  expect(reloader.current()).toBe(first);
});

test('a change while a config is read has it read again, and one that was never taken leaves nothing behind', async () => {
  const [kept, passing, last] = [plugin('kept'), plugin('passing'), plugin('last')];
  const { reloader, loads, loading, ready } = start(setup([kept]));
  for (const why of ['one', 'two', 'three']) reloader.request(why);
  const between = setup([kept, passing]);
  loads[0]?.end.resolve(between);
  await loading(2);
  // What passes may be what the next one takes over.
  expect(loads[1]?.previous).toBe(between);
  loads[1]?.end.resolve(setup([kept, last]));
  await ready(2);
  await reloader.take();
  expect([kept.closed, passing.closed, last.closed]).toEqual([0, 1, 0]);
  expect(loads).toHaveLength(2);
});

test('the same again is told as such, and nothing is to be done', async () => {
  const kept = plugin('kept');
  const { reloader, log, loads, ready } = start(setup([kept]));
  reloader.request('SIGHUP');
  loads[0]?.end.resolve(setup([kept]));
  await ready(1);
  expect(await reloader.take()).toBeNull();
  expect(log.lines).toMatchObject([
    { message: 'config read again, nothing has changed', fields: { why: 'SIGHUP' } },
  ]);
  expect(kept.closed).toBe(0);
});
