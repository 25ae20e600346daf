/**
 * query-model-history: made-up reports of some hosts over three days, with everything that makes answers hard: late and
 * out-of-order reports, copies, clocks ahead, plugins that come, go and fail, facts that are null or do not fit.
 */
import { v7 as uuidV7 } from 'uuid';
import { encodeReport } from '../../api/log/segment.ts';
import {
  type PluginStatus,
  reportFormat,
  type StoredReport,
  type StoredResult,
} from '../../api/log/stored-report.ts';
import type { Random } from './noise.ts';
import { device, pools, undeclaredPlugin } from './query-model-plugin.ts';
import { hostId } from './reports.ts';

export const historyStart = Date.parse('2026-05-01T00:00:00Z');
/** When questions are asked. */
export const historyEnd = Date.parse('2026-05-04T00:00:00Z');

export type Picker = ReturnType<typeof makePicker>;

/** Random choices of one source. */
export function makePicker(random: Random) {
  const below = (bound: number) => Math.floor(random() * bound);
  const pick = <T>(values: readonly T[]): T => values[below(values.length)] as T;
  const some = <T>(values: readonly T[], most: number): T[] =>
    Array.from({ length: below(most + 1) }, () => pick(values));
  return { random, below, pick, some, chance: (share: number) => random() < share };
}

type Facts = Record<string, unknown>;

export function makeHistory(picker: Picker, hosts: number, count: number): StoredReport[] {
  const { below, pick, chance } = picker;
  const told = new Map<number, { device: Facts; rack: Facts; name: string; environment: string }>();
  const reports = Array.from({ length: count }, (): StoredReport => {
    const host = below(hosts);
    const state = told.get(host) ?? {
      device: deviceFacts(picker),
      rack: rackFacts(picker),
      name: `Web-${host}`,
      environment: pick(pools.environments),
    };
    told.set(host, state);
    if (chance(0.5)) state.device = changed(picker, state.device, deviceFacts(picker));
    if (chance(0.3)) state.rack = changed(picker, state.rack, rackFacts(picker));
    if (chance(0.1)) state.name = `web-${host}${pick(['', '-ä', '-Z'])}`;
    // Whole minutes, and few of them for some, so that some are the same.
    const span = chance(0.2) ? 60 : 3 * 24 * 60 - 300;
    const at = historyStart + below(span) * 60_000;
    const ahead = pick([0, 0, 0, 0, 3_600_000, 90_000_000]);
    const late = pick([0, 1500, 1500, 1500, 7_200_000]);
    return {
      format: reportFormat,
      id: idAt(picker, at),
      host: { id: hostId(host), name: state.name, labels: labelsOf(picker, state.environment) },
      agentVersion: pick(['0.1.0', '0.2.0', null]),
      intervalSeconds: pick([60, 3600, 7200, null]),
      collectedAt: new Date(at + ahead).toISOString(),
      receivedAt: new Date(at + late).toISOString(),
      results: [
        resultOf(picker, device.name, state.device),
        resultOf(picker, undeclaredPlugin, state.rack),
        resultOf(picker, 'os', { platform: 'linux' }),
      ].filter(() => chance(0.85)),
    };
  });
  const copies = reports
    .filter(() => chance(0.1))
    .map((report): StoredReport => {
      const shift = pick([-5000, 0, 5000]);
      const receivedAt = new Date(Date.parse(report.receivedAt) + shift).toISOString();
      // Two copies of the same millisecond are the same report.
      const differs = shift !== 0 && chance(0.5);
      return { ...report, receivedAt, ...(differs ? { results: report.results.slice(1) } : {}) };
    });
  // As they are read back from where they are stored.
  return [...reports, ...copies].map((report) => JSON.parse(encodeReport(report).line));
}

export function idAt({ below }: Picker, msecs: number): string {
  return uuidV7({ msecs, random: Uint8Array.from({ length: 16 }, () => below(256)) });
}

function labelsOf({ chance, pick }: Picker, environment: string): Record<string, string> {
  return {
    rack: pick(pools.racks),
    ...(chance(0.7) ? { environment } : {}),
    ...(chance(0.1) ? { 'team.name': 'a' } : {}),
  };
}

function resultOf({ pick, chance }: Picker, plugin: string, told: Facts): StoredResult {
  const readings = chance(0.8) ? { heat: pick([20.5, 40, 60.25]), samples: [pick([1, 2])] } : null;
  const status = pick<PluginStatus>(['OK', 'OK', 'OK', 'OK', 'OK', 'OK', 'ERROR', 'TIMEOUT', 'SKIPPED']);
  const facts =
    status === 'OK' ? (chance(0.9) ? told : null) : status === 'TIMEOUT' && chance(0.5) ? told : null;
  const error = status === 'ERROR' ? pick(pools.errors) : null;
  return { plugin, version: 1, status, durationMs: 1, facts, readings, error };
}

/** Some facts of the one, the rest of the other. */
function changed({ pick, chance }: Picker, before: Facts, after: Facts): Facts {
  const names = Object.keys({ ...before, ...after });
  const taken = new Set([pick(names), ...(chance(0.3) ? [pick(names), pick(names)] : [])]);
  return Object.fromEntries(
    names.flatMap((name) => {
      const from = taken.has(name) ? after : before;
      return name in from ? [[name, from[name]]] : [];
    }),
  );
}

export function deviceFacts({ pick, some, chance, random }: Picker): Facts {
  const ports = some(pools.portNames, 3).map((name) => ({
    name: chance(0.05) ? null : name,
    speed: pick(pools.speeds),
    addresses: some(pools.address, 2).map((address) => ({ address, scope: pick(pools.scopes) })),
  }));
  const facts: Facts = {
    label: pick(pools.label),
    slots: pick(pools.slots),
    load: pick(pools.load),
    disk: pick(pools.disk),
    clock: pick(pools.clock),
    share: pick(pools.share),
    active: pick(pools.active),
    bootedAt: pick(pools.bootedAt),
    uptime: pick(pools.uptime),
    release: pick(pools.release),
    address: pick(pools.address),
    hardware: pick(pools.hardware),
    tags: chance(0.15) ? null : some(pools.tags, 3),
    weights: chance(0.15) ? null : some(pools.weights, 3),
    ports: chance(0.15) ? null : chance(0.05) ? ['eth0', ...ports] : ports,
    events: chance(0.15) ? null : some(pools.codes, 3).map((code) => ({ code, note: pick(pools.notes) })),
    extra: pick([1, 2]),
  };
  // What is null may as well be left out, and keys come in any order.
  return Object.fromEntries(
    Object.entries(facts)
      .filter(([, value]) => value !== null || chance(0.5))
      .sort(() => random() - 0.5),
  );
}

export function rackFacts({ pick, some, chance }: Picker): Facts {
  return {
    row: pick(pools.row),
    height: pick(pools.height),
    ...(chance(0.8) ? { powered: pick([true, false]) } : {}),
    parts: some(pools.parts, 2),
    shelves: some(pools.codes, 2).map((unit) => ({ unit, doors: some(pools.parts, 1) })),
    nested: pick([{ deep: 'x' }, { deep: 'y', deeper: { most: 3 } }, null]),
  };
}
