import { expect, test } from 'vitest';
import { parseStoredReport } from '../api/log/stored-report.ts';
import { checkFacts } from '../plugins/check-facts.ts';
import { loadBuiltinPlugins } from '../plugins/index.ts';
import { makeFleet } from './fleet.ts';

const hosts = 50;
const reportsOf = (seed: number) => [...makeFleet({ hosts, seed }).next(5_000)];

test('a fleet is the same for the same seed, and another for another', () => {
  expect(reportsOf(1)).toEqual(reportsOf(1));
  expect(reportsOf(1)).not.toEqual(reportsOf(2));
});

test('its reports are ones that the bucket could hold, in order of time, each under its own id', () => {
  const reports = reportsOf(1);
  for (const report of reports) expect(parseStoredReport(JSON.stringify(report))).toEqual(report);
  const times = reports.map(({ collectedAt }) => collectedAt);
  expect(times).toEqual(times.toSorted());
  expect(new Set(reports.map(({ id }) => id)).size).toBe(reports.length);
});

test('what it tells is what the plugins declare', async () => {
  const declared = new Map((await loadBuiltinPlugins()).map((plugin) => [plugin.name, plugin]));
  for (const { plugin, facts, readings } of reportsOf(1)
    .slice(0, hosts)
    .flatMap(({ results }) => results)) {
    const { facts: ofFacts = {}, readings: ofReadings = {} } = declared.get(plugin) ?? {};
    expect(checkFacts(ofFacts, facts)).toMatchObject({ problems: [], undeclared: [] });
    expect(checkFacts(ofReadings, readings ?? {})).toMatchObject({ problems: [], undeclared: [] });
  }
});

test('facts change now and then, readings nearly always', () => {
  const [told, changed] = [new Map<string, string>(), { facts: 0, readings: 0 }];
  for (const { host, results } of reportsOf(1)) {
    for (const kind of ['facts', 'readings'] as const) {
      const now = JSON.stringify(results.map((result) => result[kind]));
      if (told.get(host.id + kind) !== now) changed[kind] += 1;
      told.set(host.id + kind, now);
    }
  }
  expect(changed.facts - hosts).toBeGreaterThan(5);
  expect(changed.facts - hosts).toBeLessThan(50);
  expect(changed.readings).toBeGreaterThan(4_900);
});
