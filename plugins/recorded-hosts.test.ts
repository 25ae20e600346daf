/**
 * Every built-in plugin over every recorded host, as it was and with damaged files.
 */
import { describe, expect, test } from 'vitest';
import { withDamagedFiles } from '../test/support/noise.ts';
import {
  collectContext,
  collectIfAny,
  expectedValues,
  hostRoot,
  recordedHosts,
} from '../test/support/recorded-hosts.ts';
import { loadBuiltinPlugins } from './index.ts';

const plugins = await loadBuiltinPlugins();
// Recorded hosts are Linux hosts; elsewhere the plugins ask the machine itself.
const isLinux = process.platform === 'linux';

describe.runIf(isLinux).each(recordedHosts)('%s', (host) => {
  test.each(plugins.map(({ name }) => name))('%s gives the expected values', async (name) => {
    const plugin = plugins.find((plugin) => plugin.name === name);
    expect(plugin).toBeDefined();
    if (!plugin) return;
    const context = collectContext(hostRoot(host));
    const expected = expectedValues(host, name);
    expect(await collectIfAny(plugin, context)).toEqual(expected);
    // Nothing has changed since, so what was kept must give the same again.
    expect(await collectIfAny(plugin, context)).toEqual(expected);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('damaged files still give facts that fit (seed %i)', async (seed) => {
    await withDamagedFiles(hostRoot(host), seed, async (root) => {
      for (const plugin of plugins) await collectIfAny(plugin, collectContext(root));
    });
  });
});

test.runIf(isLinux)('nothing of the machine that replays a host shows through', async () => {
  for (const plugin of plugins) {
    const values = await collectIfAny(plugin, collectContext(hostRoot('only-proc-stat')));
    const known = Object.entries(values ?? {}).filter(([, value]) => value !== null);
    const expected = { cpu: ['threads'], os: ['platform', 'bootedAt'] }[plugin.name] ?? [];
    expect(known.map(([name]) => name)).toEqual(expected);
  }
});

test.each(plugins)('$name describes every fact in one line without a full stop', (plugin) => {
  const descriptions = (facts: object): string[] =>
    Object.values(facts).flatMap((fact) => [
      fact.description,
      ...(fact.kind === 'list' ? descriptions(fact.of.kind ? { of: fact.of } : fact.of) : []),
    ]);
  for (const line of [plugin.description, ...descriptions({ ...plugin.facts, ...plugin.readings })]) {
    expect(line).toMatch(/^[A-Za-z].*[^.\s]$/);
  }
});

test.each(plugins)('$name stops when its signal is aborted', async (plugin) => {
  const context = { ...collectContext('/'), signal: AbortSignal.abort(new Error('out of time')) };
  await expect(plugin.collect(context)).rejects.toThrow('out of time');
});
