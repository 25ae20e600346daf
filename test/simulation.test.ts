/**
 * simulation: whole APIs over one bucket that fails, with agents that send again what was not answered, catch-up and
 * merges in between, and processes that die; made up from a seed.
 *
 * The seed decides what happens; in which order, also the threads that compress and those of PostgreSQL: a run that
 * failed once may take several attempts. SIMULATION_RUNS makes more of them (40), SIMULATION_SEED is the first one's.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import type { Bucket } from '../api/bucket/bucket.ts';
import { Failure } from '../api/failure.ts';
import type { BuildingIndex, IndexStore } from '../api/index/index-store.ts';
import { compact } from '../api/log/compact.ts';
import { encodeReport, encodeSegment } from '../api/log/segment.ts';
import { segmentFolder, segmentKey } from '../api/log/segment-key.ts';
import type { StoredReport } from '../api/log/stored-report.ts';
import { rebuildIndex } from '../api/rebuild.ts';
import { loadBuiltinPlugins } from '../plugins/index.ts';
import { madeUpHistory } from './support/histories.ts';
import type { Dump } from './support/index-dump.ts';
import { memoryBucket } from './support/memory-bucket.ts';
import { describeIf } from './support/needs.ts';
import { hasPostgres, postgresNeeded, startPostgres } from './support/postgres.ts';
import { storedReport } from './support/reports.ts';
import { type Draft, openSimulatedApi } from './support/simulated-api.ts';
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
import { temporaryFolder } from './support/temporary-folder.ts';

const runs = Number(process.env.SIMULATION_RUNS ?? 40);
const firstSeed = Number(process.env.SIMULATION_SEED ?? 1);
const seeds = Array.from({ length: runs }, (_, index) => firstSeed + index);

const plugins = await loadBuiltinPlugins();

const maxPutMs = 100 * minuteMs;

/** What came about in all runs taken together. */
const happened: Tally & Record<string, number> = {
  errors: 0,
  timeoutsAfterSuccess: 0,
  slow: 0,
  partialLists: 0,
  stalledPuts: 0,
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
    // Some do not wait for an answer before they send it again, to the same API or another.
    const sent = Array.from({ length: chance(0.1) ? 2 : 1 }, () => pick(slots).api?.submit(draft));
    const answers = await Promise.all(sent.map((answer) => answer?.catch(unlessBug) ?? null));
    const answer = answers.find((one) => one !== null);
    if (!answer) {
      if (sent.some((one) => one !== undefined)) count('unanswered');
      return draft;
    }
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

/** As every half minute. One that fails makes the next look further back. */
async function followAll({ slots }: World): Promise<void> {
  for (const { api } of slots) await api?.catchUp().catch(unlessBug);
}

/** All at once, with time going by the second; then everything comes to rest, and time leaps. */
async function runPhase(world: World, spools: Spool[], acknowledged: Acknowledged): Promise<void> {
  const { slots, below, pick, leap, land } = world;
  for (const spool of spools) spool.push(...makeDrafts(world, 1 + below(10)));
  await Promise.all([
    ...spools.map((spool) => runAgent(world, spool, acknowledged)),
    ...slots.map((slot) => runUpkeep(world, slot)),
    ...slots.map((slot) => runCrash(world, slot)),
  ]);
  await followAll(world);
  const ms = pick([5 * minuteMs, 30 * minuteMs, 70 * minuteMs, 3 * hourMs, 26 * hourMs]);
  // A put may be on its way for long, but not for the two hours that everything else relies on.
  if (ms > maxPutMs && (await land())) await followAll(world);
  leap(ms);
  await land();
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
  // What came late is found within an hour, everything else at once.
  if (world.hasStalls) world.leap(hourMs + minuteMs);
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
    await simulate(seed, seed % 40 === 0 ? threadedIndexes : inlineIndexes);
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

/** What an API was doing, for one report, when it died or its store gave up on it. */
type Moment = 'before the put' | 'after the put' | 'after the apply' | 'put has timed out';

/** Sends a report to an API that this happens to, and again to the next one on the same stores. */
async function sendTwice(moment: Moment) {
  const memory = memoryBucket();
  const indexes = inlineIndexes({ folder: await temporaryFolder(), bucket: memory.location, plugins });
  let dying: Promise<void> | null = null;
  const failing = new Failure('UNAVAILABLE', 'nobody hears this');
  const happens = (now: Moment): boolean => {
    if (now !== moment || dying) return false;
    dying = now === 'put has timed out' ? Promise.resolve() : first.crash();
    return true;
  };
  const open = async (bucket: Bucket, index: IndexStore) =>
    openSimulatedApi({
      bucket,
      index,
      receive: Date.now,
      now: Date.now,
      onMissed: () => {},
      onMerged: () => {},
      onProblem: (problem) => expect.fail(problem),
    });
  const index = await indexes.open(0);
  const first = await open(
    {
      ...memory,
      async put(key, body) {
        if (happens('before the put')) throw failing;
        await memory.put(key, body);
        if (happens('put has timed out') || happens('after the put')) throw failing;
      },
    },
    {
      ...index,
      async apply(segments) {
        await index.apply(segments);
        if (happens('after the apply')) throw failing;
      },
    },
  );
  const { receivedAt: _, ...draft } = storedReport();
  await expect(first.submit(draft)).rejects.toMatchObject({ kind: 'UNAVAILABLE' });
  await dying;
  if (moment === 'put has timed out') await first.close();

  const second = await open(memory, await indexes.open(0));
  // As it does on start; not where it is still the same API, which has no reason to.
  if (moment !== 'put has timed out') await second.catchUp();
  const { duplicate } = await second.submit(draft);
  await second.catchUp();
  const stored = (await readStored(memory)).get(draft.id)?.length;
  const told = (await indexes.dump(0)).reports?.length;
  await second.close();
  return { duplicate, stored, told };
}

test('an API that dies before the put has taken nothing: the resend is as if it were the first', async () => {
  expect(await sendTwice('before the put')).toEqual({ duplicate: false, stored: 1, told: 1 });
});

test('an API that dies between put and apply has taken the report: the resend is a duplicate', async () => {
  expect(await sendTwice('after the put')).toEqual({ duplicate: true, stored: 1, told: 1 });
});

test('an API that dies between apply and acknowledgement has, too', async () => {
  expect(await sendTwice('after the apply')).toEqual({ duplicate: true, stored: 1, told: 1 });
});

test('a put that timed out and had landed makes a copy of the resend, which counts once', async () => {
  expect(await sendTwice('put has timed out')).toEqual({ duplicate: false, stored: 2, told: 1 });
});

test('what is put while a rebuild makes its last indexes is in it', async () => {
  const memory = memoryBucket();
  const indexes = inlineIndexes({ folder: await temporaryFolder(), bucket: memory.location, plugins });
  const put = async (report: StoredReport) =>
    memory.put(segmentKey([report]), await encodeSegment([encodeReport(report)]));
  const now = new Date().toISOString();
  await put(storedReport({ receivedAt: now }));
  const { rebuild, dump } = await indexes.anew('anew.db');
  const index: BuildingIndex = {
    ...rebuild.index,
    async finish() {
      await rebuild.index.finish();
      await put(storedReport({ receivedAt: now }));
    },
  };
  const { reports } = await rebuildIndex({
    bucket: memory,
    rebuild: { ...rebuild, index },
    retentionMs: null,
    onProgress: () => {},
  });
  expect(reports).toBe(2);
  expect((await dump()).reports).toHaveLength(2);
});
