import { readdir, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { agentReport, agentResult } from '../../test/support/agent-reports.ts';
import { eventually } from '../../test/support/eventually.ts';
import { recordingLog } from '../../test/support/recording-log.ts';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import type { PluginResult, SubmitReportInput, WireReport } from '../report.ts';
import type { Receipt } from '../submit.ts';
import { SubmitError } from '../submit-error.ts';
import { createDelivery } from './delivery.ts';
import { openSpool } from './spool.ts';

const start = Date.parse('2026-05-01T10:00:00Z');
const reports = (count: number, from = 0) =>
  Array.from({ length: count }, (_, number) => agentReport(start + from + number));
const idsOf = (list: readonly { id: string }[]) => list.map(({ id }) => id);
const taken = ({ id }: WireReport): Receipt => ({ reportId: id, duplicate: false });
const away = (retryAfterMs: number | null = null) =>
  new SubmitError('UNAVAILABLE', 'nobody there', { retryAfterMs });

type Answer = (report: WireReport) => Receipt | SubmitError;

/**
 * Delivery over a real spool, to an API that is a function, by a clock that jumps to where a sleeper wants to wake.
 * Chance is always in the middle.
 */
async function world({ waiting = [] as SubmitReportInput[], answer = taken as Answer } = {}) {
  const stateFolder = await temporaryFolder();
  const log = recordingLog();
  const spool = openSpool({
    stateFolder,
    bounds: { maxBytes: 2 ** 26, maxAgeMs: 60_000 },
    log,
    now: () => start,
  });
  for (const report of waiting) await spool.add(report);
  const stop = new AbortController();
  let now = 1_000;
  const naps: number[] = [];
  const requests: string[][] = [];
  const state = { answer, beforeNap: async () => {}, redact: (results: PluginResult[]) => results };
  const clock = {
    now: () => now,
    async sleep(ms: number, signal: AbortSignal) {
      await state.beforeNap();
      signal.throwIfAborted();
      naps.push(Math.round(ms));
      now += ms;
    },
  };
  const answerAll = (sent: readonly WireReport[]) => {
    requests.push(idsOf(sent));
    const answers = sent.map((report) => state.answer(report));
    const isDown = answers.every(
      (one) => one instanceof SubmitError && one.code === 'UNAVAILABLE' && !one.isBug,
    );
    if (isDown) throw answers[0];
    return answers;
  };
  const api = {
    async submit(report: WireReport) {
      const [one] = answerAll([report]);
      if (one instanceof SubmitError) throw one;
      return one as Receipt;
    },
    submitMany: async (sent: readonly WireReport[]) => answerAll(sent),
  };
  const delivery = createDelivery({
    ...{ api, spool, log, clock, random: () => 0.5 },
    redact: (results) => state.redact(results),
  });
  /** Delivers until the spool is empty. */
  const deliverAll = async () => {
    const done = delivery.deliver(stop.signal);
    await eventually('the spool is empty', async () => (await spool.waiting()).length === 0, { everyMs: 5 });
    stop.abort(new Error('enough'));
    await done;
  };
  return { stateFolder, log, spool, stop, naps, requests, state, delivery, deliverAll, api, clock };
}

test('a report is sent as it is added, and leaves the spool when it is acknowledged', async () => {
  const { delivery, deliverAll, spool, requests, log, naps } = await world();
  const [report] = reports(1) as [SubmitReportInput];
  await delivery.add(report);
  expect(await spool.waiting()).toEqual([report.id]);
  await deliverAll();
  expect(requests).toEqual([[report.id]]);
  expect(naps).toEqual([]);
  expect(log.lines).toMatchObject([
    { level: 'info', message: 'report submitted', fields: { reportId: report.id, duplicate: false } },
  ]);
});

test('what is redacted is so as a report is sent, whenever it was made', async () => {
  const told = reports(2).map((report) => ({ ...report, results: [agentResult('rack', { row: 7 })] }));
  const [kept, fresh] = told as [SubmitReportInput, SubmitReportInput];
  const { delivery, deliverAll, state } = await world({ waiting: [kept] });
  const sent: WireReport[] = [];
  state.answer = (report) => {
    sent.push(report);
    return taken(report);
  };
  // Added before the config said so.
  await delivery.add(fresh);
  state.redact = () => [];
  await deliverAll();
  expect(idsOf(sent)).toEqual([fresh.id, kept.id]);
  expect(sent.map(({ results }) => results)).toEqual([[], []]);
});

test('after an outage the newest goes first, then the backlog, the oldest first, in batches with pauses', async () => {
  const backlog = reports(120);
  const [newest] = reports(1, 500) as [SubmitReportInput];
  const { delivery, deliverAll, requests, naps, log, state } = await world({ waiting: backlog });
  let failures = 0;
  state.answer = (report) => {
    failures += 1;
    return failures <= 3 ? away() : taken(report);
  };
  await delivery.add(newest);
  await deliverAll();
  expect(requests.map(({ length }) => length)).toEqual([1, 1, 1, 1, 50, 50, 20]);
  expect(requests.flat()).toEqual([...Array(4).fill(newest.id), ...idsOf(backlog)]);
  // Half of 1, 2 and 4 seconds; half a minute of splay; then the pauses.
  expect(naps).toEqual([500, 1_000, 2_000, 30_000, 4_000, 4_000]);
  expect(log.lines.map(({ message }) => message)).toEqual([
    ...Array(3).fill('report not submitted'),
    'the API takes reports again',
    'report submitted',
    ...Array(3).fill('backlog submitted'),
  ]);
  expect(log.lines[2]?.fields).toEqual({
    code: 'UNAVAILABLE',
    cause: 'nobody there',
    waiting: 121,
    retryInMs: 2_000,
  });
});

test('what is added while it waits is kept, and does not shorten the wait that the API asked for', async () => {
  const [first, second] = reports(2) as [SubmitReportInput, SubmitReportInput];
  const { delivery, deliverAll, requests, naps, state } = await world();
  let isAway = true;
  state.answer = (report) => (isAway ? away(60_000) : taken(report));
  let adding: Promise<void> | null = null;
  state.beforeNap = async () => {
    isAway = false;
    adding ??= delivery.add(second);
    await adding;
  };
  await delivery.add(first);
  await deliverAll();
  expect(requests).toEqual([[first.id], [second.id], [first.id]]);
  expect(naps[0]).toBe(90_000);
});

test('one that is refused is a dead letter, and holds up none of the others', async () => {
  const waiting = reports(5);
  const poison = waiting[1]?.id;
  const answer = (report: WireReport) =>
    report.id === poison ? new SubmitError('INVALID', 'host.name: must not be empty') : taken(report);
  const { deliverAll, stateFolder, log, requests } = await world({ waiting, answer });
  await deliverAll();
  expect(requests).toHaveLength(1);
  expect(await readdir(join(stateFolder, 'dead-letter'))).toEqual([`${poison}.json`]);
  expect(log.lines).toContainEqual({
    level: 'error',
    message: 'report refused for good',
    fields: {
      reportId: poison,
      cause: 'host.name: must not be empty',
      keptAs: join(stateFolder, 'dead-letter', `${poison}.json`),
    },
  });
});

test('one that the API fails on by a fault of its own is set back, and tried again after the others', async () => {
  const waiting = reports(60);
  const poison = waiting[0]?.id;
  let faults = 2;
  const answer = (report: WireReport) => {
    if (report.id !== poison || faults === 0) return taken(report);
    faults -= 1;
    return new SubmitError('UNAVAILABLE', 'a bug', { isBug: true });
  };
  const { deliverAll, requests, log } = await world({ waiting, answer });
  await deliverAll();
  expect(requests.map(({ length }) => length)).toEqual([50, 11, 1]);
  expect(requests.at(-1)).toEqual([poison]);
  expect(log.lines.map(({ message }) => message)).toContain('report not taken, others were');
});

test('a batch is no larger than two mebibytes, and a damaged report is passed over', async () => {
  const waiting = reports(5).map((report) => ({
    ...report,
    results: [agentResult('large', { text: 'x'.repeat(900_000) })],
  }));
  const { deliverAll, requests, stateFolder } = await world({ waiting });
  await truncate(join(stateFolder, 'spool', `${waiting[2]?.id}.report`), 100);
  await deliverAll();
  const [a, b, , d, e] = idsOf(waiting);
  expect(requests).toEqual([
    [a, b],
    [d, e],
  ]);
});

test('batches become smaller when a large one does not come through, as on a slow line', async () => {
  const waiting = reports(40);
  const { deliverAll, requests, state } = await world({ waiting });
  state.answer = (report) => ((requests.at(-1)?.length ?? 0) > 15 ? away() : taken(report));
  await deliverAll();
  const lengths = requests.map(({ length }) => length);
  // Each failure is followed by one report that finds out whether the API is back.
  expect(lengths.slice(0, 5)).toEqual([40, 1, 25, 1, 12]);
  expect(new Set(requests.slice(4).flat()).size).toBe(38);
});

test('an API that never answers delays no report, and a stop leaves what is under way in the spool', async () => {
  const { spool, stop, api, log, clock } = await world();
  const asked = Promise.withResolvers<void>();
  const submit = (_report: WireReport, signal: AbortSignal) => {
    asked.resolve();
    return new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  };
  const delivery = createDelivery({ api: { ...api, submit }, spool, log, clock, random: () => 0.5 });
  const done = delivery.deliver(stop.signal);
  const all = reports(3);
  await delivery.add(all[0] as SubmitReportInput);
  await asked.promise;
  for (const report of all.slice(1)) await delivery.add(report);
  stop.abort(new Error('told to stop'));
  await done;
  expect(await spool.waiting()).toEqual(idsOf(all));
  expect(log.lines).toEqual([]);
});

test('one delivered now goes first, then some of what has gathered; none of it waits for the clock', async () => {
  const waiting = reports(230);
  const [report] = reports(1, 500) as [SubmitReportInput];
  const { delivery, stop, requests, spool, naps } = await world({ waiting });
  await delivery.deliverNow(report, stop.signal);
  expect(requests.map(({ length }) => length)).toEqual([1, 50, 50, 50, 50]);
  expect(await spool.waiting()).toEqual(idsOf(waiting.slice(200)));
  expect(naps).toEqual([]);
});

test.each([
  ['away', away(), 1, 0],
  ['refused', new SubmitError('INVALID', 'no'), 0, 1],
])('one delivered now that is %s fails', async (_what, error, kept, letters) => {
  const { delivery, stop, spool, stateFolder } = await world({ answer: () => error });
  const [report] = reports(1) as [SubmitReportInput];
  await expect(delivery.deliverNow(report, stop.signal)).rejects.toBe(error);
  expect(await spool.waiting()).toHaveLength(kept);
  expect(await readdir(join(stateFolder, 'dead-letter')).catch(() => [])).toHaveLength(letters);
});

test.each(['UNAUTHENTICATED', 'RATE_LIMITED'] as const)(
  '%s costs no report: they wait until it is over',
  async (code) => {
    const backlog = reports(3);
    const { deliverAll, requests, log, state, stateFolder } = await world({ waiting: backlog });
    let failures = 0;
    state.answer = (report) => {
      failures += 1;
      return failures <= 8 ? new SubmitError(code, 'put it right', { retryAfterMs: 1_000 }) : taken(report);
    };
    await deliverAll();
    expect(new Set(requests.flat())).toEqual(new Set(idsOf(backlog)));
    expect(await readdir(join(stateFolder, 'spool'))).not.toContain('damaged');
    await expect(readdir(join(stateFolder, 'dead-letter'))).rejects.toMatchObject({ code: 'ENOENT' });
    const [first] = log.lines;
    expect(first).toMatchObject({ level: 'error', fields: { code, cause: 'put it right' } });
  },
);

test('what the credentials do not allow waits by itself, and new reports go on at once', async () => {
  const foreign = reports(2);
  const own = reports(3, 100);
  const ids = new Set(idsOf(foreign));
  const { delivery, deliverAll, spool, requests, log, state, stateFolder } = await world({
    waiting: [...foreign, ...own.slice(0, 1)],
  });
  let isAllowed = false;
  state.answer = (report) =>
    ids.has(report.id) && !isAllowed ? new SubmitError('FORBIDDEN', 'of another host') : taken(report);
  let isAdded = false;
  let areAdded = false;
  state.beforeNap = async () => {
    // Once the first batch was sent: two wait.
    if (isAdded || requests.length === 0) return;
    isAdded = true;
    for (const report of own.slice(1)) await delivery.add(report);
    areAdded = true;
  };
  const done = deliverAll();
  await eventually('new ones are taken', async () => areAdded && (await spool.waiting()).length === 2, {
    everyMs: 5,
  });
  isAllowed = true;
  await done;
  expect(requests[0]).toEqual(idsOf([...foreign, ...own.slice(0, 1)]));
  expect(requests.flat()).toEqual(expect.arrayContaining(idsOf(own)));
  await expect(readdir(join(stateFolder, 'dead-letter'))).rejects.toMatchObject({ code: 'ENOENT' });
  const messages = log.lines.map(({ message }) => message);
  expect(messages).toContain('reports not allowed: they wait');
  expect(messages).not.toContain('report refused for good');
});
