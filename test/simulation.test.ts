/**
 * simulation: whole APIs over one bucket that fails, with agents that send again what was not answered, catch-up and
 * merges in between, and processes that die; made up from a seed.
 *
 * The seed decides what happens; in which order, also the threads that compress and those of PostgreSQL: a run that
 * failed once may take several attempts. SIMULATION_RUNS makes more of them (40), SIMULATION_SEED is the first one's.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { compact } from '../api/log/compact.ts';
import { segmentFolder } from '../api/log/segment-key.ts';
import { rebuildIndex } from '../api/rebuild.ts';
import { loadBuiltinPlugins } from '../plugins/index.ts';
import { madeUpHistory } from './support/histories.ts';
import type { Dump } from './support/index-dump.ts';
import { describeIf } from './support/needs.ts';
import { hasPostgres, postgresNeeded, startPostgres } from './support/postgres.ts';
import type { Draft } from './support/simulated-api.ts';
import {
  inlineIndexes,
  postgresIndexes,
  type SimulatedIndexes,
  type SimulatedIndexesOptions,
  threadedIndexes,
} from './support/simulated-indexes.ts';
import {
  hourMs,
  makeWorld,
  minuteMs,
  type Slot,
  type Tally,
  unlessBug,
  type World,
} from './support/simulated-world.ts';
import { readStored } from './support/stored.ts';

const runs = Number(process.env.SIMULATION_RUNS ?? 40);
const firstSeed = Number(process.env.SIMULATION_SEED ?? 1);
const seeds = Array.from({ length: runs }, (_, index) => firstSeed + index);

const plugins = await loadBuiltinPlugins();

/** What came about in all runs taken together. */
const happened: Tally & Record<string, number> = {
  errors: 0,
  timeoutsAfterSuccess: 0,
  slow: 0,
  partialLists: 0,
  indexFaults: 0,
  segmentsMissed: 0,
  merged: 0,
  crashes: 0,
  indexesDeleted: 0,
  reports: 0,
  unanswered: 0,
  duplicates: 0,
  copies: 0,
};

function count(what: keyof typeof happened, more = 1): void {
  happened[what] = (happened[what] ?? 0) + more;
}

/** What an agent has to send, and what all of them were answered for. */
type Spool = Draft[];
type Acknowledged = Map<string, Draft>;

/** Reports as agents make them: on time, from a clock that is ahead, or after some hours without a network. */
function makeDrafts({ random, pick, now }: World, length: number): Draft[] {
  const drafts = new Map<string, Draft>();
  for (const { receivedAt: _, ...draft } of madeUpHistory(random, length)) {
    const agoMs = pick([0, 0, 0, 20 * minuteMs, 5 * hourMs, -hourMs]);
    drafts.set(draft.id, { ...draft, collectedAt: new Date(now() - agoMs).toISOString() });
  }
  return [...drafts.values()];
}

/** Sends what is in its spool, and after some attempts leaves the rest for later. */
async function runAgent(world: World, spool: Spool, acknowledged: Acknowledged): Promise<void> {
  const { slots, below, chance, pick } = world;
  for (let attempts = 3 + spool.length; attempts > 0 && spool.length > 0; attempts -= 1) {
    for (let turns = below(12); turns > 0; turns -= 1) await turn();
    const burst = spool.splice(0, 1 + below(4));
    for (const draft of await Promise.all(burst.map(send))) if (draft) spool.push(draft);
  }

  /** The report again if it has to be sent again. */
  async function send(draft: Draft): Promise<Draft | null> {
    const { api } = pick(slots);
    if (!api) return draft;
    const answer = await api.submit(draft).catch(unlessBug);
    if (!answer) count('unanswered');
    if (!answer) return draft;
    if (answer.duplicate) count('duplicates');
    acknowledged.set(draft.id, draft);
    // Some answers get lost on their way: for the agent that is as if there had been none.
    return chance(0.1) ? draft : null;
  }
}

/** Follows the bucket, and merges what is old enough. */
async function runUpkeep({ below, chance }: World, slot: Slot): Promise<void> {
  for (let rounds = 1 + below(4); rounds > 0; rounds -= 1) {
    for (let turns = below(30); turns > 0; turns -= 1) await turn();
    if (chance(0.4)) await slot.api?.catchUp().catch(unlessBug);
    else await slot.api?.compact().catch(unlessBug);
  }
}

/** Dies in the middle of it, now and then, and is started again: with its index or, sometimes, without. */
async function runCrash(world: World, slot: Slot): Promise<void> {
  const { below, chance, indexes, open } = world;
  if (chance(0.5)) return;
  for (let turns = below(60); turns > 0; turns -= 1) await turn();
  const { api } = slot;
  if (!api) return;
  slot.api = null;
  await api.crash();
  count('crashes');
  if (chance(0.3) && indexes.delete(slot.number)) count('indexesDeleted');
  await open(slot);
}

/** All at once, with time going by the second; then everything comes to rest, and time leaps. */
async function runPhase(world: World, spools: Spool[], acknowledged: Acknowledged): Promise<void> {
  const { slots, below, pick, leap } = world;
  for (const spool of spools) spool.push(...makeDrafts(world, 1 + below(10)));
  await Promise.all([
    ...spools.map((spool) => runAgent(world, spool, acknowledged)),
    ...slots.map((slot) => runUpkeep(world, slot)),
    ...slots.map((slot) => runCrash(world, slot)),
  ]);
  // As every half minute. One that fails makes the next look further back.
  for (const { api } of slots) await api?.catchUp().catch(unlessBug);
  leap(pick([5 * minuteMs, 30 * minuteMs, 70 * minuteMs, 3 * hourMs, 26 * hourMs]));
}

async function checkBucket({ bucket }: World, acknowledged: Acknowledged): Promise<void> {
  const stored = await readStored(bucket);
  for (const [id, draft] of acknowledged) {
    const copies = stored.get(id) ?? [];
    expect(copies.length, `places of ${id}, which was acknowledged`).toBeGreaterThan(0);
    for (const { key, report } of copies) {
      expect(report).toEqual({ ...draft, receivedAt: report.receivedAt });
      expect(key.startsWith(segmentFolder(report.receivedAt)), `${key} of ${report.receivedAt}`).toBe(true);
    }
  }
  count('copies', [...stored.values()].filter(({ length }) => length > 1).length);
}

/** That one round later every index tells what the bucket holds: each report once, in the copy received first. */
async function checkIndexes(world: World, name: string): Promise<void> {
  const { bucket, slots, indexes } = world;
  const expected = [...(await readStored(bucket))].map(([id, copies]) => {
    const receivedAt = copies.map(({ report }) => Date.parse(report.receivedAt));
    return `${id.replaceAll('-', '')} ${Math.min(...receivedAt)}`;
  });
  const anew = await rebuilt(world, name);
  const told = (anew.reports ?? []).map((row) => {
    const { report, received_at: receivedAt } = JSON.parse(row);
    return `${report} ${receivedAt}`;
  });
  expect(told.sort(), 'an index made anew').toEqual(expected.sort());
  for (const { api } of slots) await api?.catchUp();
  for (const { number } of slots)
    expect(await indexes.dump(number), `the index of API ${number}`).toEqual(anew);
}

async function rebuilt({ bucket, indexes }: World, name: string): Promise<Dump> {
  const { rebuild, dump } = await indexes.anew(name);
  const { corrupt } = await rebuildIndex({ bucket, rebuild, retentionMs: null, onProgress: () => {} });
  expect(corrupt).toEqual([]);
  return dump();
}

/** That a merge without faults leaves each report once in each hour that it was received in. */
async function checkMerge({ bucket, now, leap }: World): Promise<void> {
  leap(4 * hourMs);
  const { corrupt } = await compact({ bucket, level: 1, now, onCorrupt: () => {} });
  expect(corrupt).toEqual([]);
  for (const [id, copies] of await readStored(bucket)) {
    const folders = copies.map(({ report }) => segmentFolder(report.receivedAt));
    expect(new Set(folders).size, `hours of ${id}, in ${copies.map(({ key }) => key)}`).toBe(folders.length);
  }
}

async function simulate(
  seed: number,
  makeIndexes: (options: SimulatedIndexesOptions) => SimulatedIndexes,
): Promise<void> {
  const world = await makeWorld({ seed, plugins, makeIndexes });
  const { slots, problems, below, open, heal, tally } = world;
  const acknowledged: Acknowledged = new Map();
  const spools = Array.from({ length: 2 + below(3) }, (): Spool => []);
  for (const slot of slots) await open(slot);
  for (let phases = 2 + below(5); phases > 0; phases -= 1) await runPhase(world, spools, acknowledged);

  heal();
  while (spools.some(({ length }) => length > 0)) {
    await Promise.all(spools.map((spool) => runAgent(world, spool, acknowledged)));
  }
  await checkBucket(world, acknowledged);
  await checkIndexes(world, 'anew.db');
  await checkMerge(world);
  await checkBucket(world, acknowledged);
  await checkIndexes(world, 'anew-merged.db');
  expect(problems).toEqual([]);
  for (const { api } of slots) await api?.close();
  count('reports', acknowledged.size);
  for (const [what, more] of Object.entries(tally())) count(what, more);
}

describe('nothing acknowledged is lost, nothing counts twice, all indexes agree', () => {
  test.each(seeds)('seed %i', async (seed) => {
    // Those that own threads take long to start.
    await simulate(seed, seed % 20 === 0 ? threadedIndexes : inlineIndexes);
  });

  describeIf(hasPostgres(), postgresNeeded, 'on PostgreSQL', async () => {
    const server = await startPostgres();
    test.each(seeds.slice(0, Math.ceil(runs / 5)))('seed %i', async (seed) => {
      const url = await server.createDatabase();
      await simulate(seed, (options) => postgresIndexes(url, options));
    });
  });

  afterAll(() => console.info(`simulated ${runs} runs: ${JSON.stringify(happened)}`));
});

test('all that can go wrong did, in these runs taken together', () => {
  for (const [what, times] of Object.entries(happened)) expect(times, what).toBeGreaterThan(0);
});
