/** A fleet whose API cannot take it all at once comes back apart, in virtual time. */
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { agentReport } from '../../test/support/agent-reports.ts';
import { type Random, seededRandom } from '../../test/support/noise.ts';
import { recordingLog } from '../../test/support/recording-log.ts';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import type { WireReport } from '../report.ts';
import type { Receipt } from '../submit.ts';
import { SubmitError } from '../submit-error.ts';
import { createDelivery } from './delivery.ts';
import { openSpool } from './spool.ts';

const agents = 1_000;
const start = Date.parse('2026-05-01T10:00:00Z');
/** Reports a second; what comes beyond is told to come again after `retryAfterSeconds`. */
const capacity = 100;
const retryAfterSeconds = 5;

/** A clock that many sleep by: it jumps to where the first of them wants to wake once all of them sleep. */
function sharedClock() {
  type Sleeper = { at: number; wake(): void };
  const sleepers = new Set<Sleeper>();
  let now = 0;
  return {
    sleepers,
    now: () => now,
    sleep(ms: number, stop: AbortSignal): Promise<void> {
      return new Promise((resolve, reject) => {
        const sleeper = { at: now + ms, wake: resolve };
        sleepers.add(sleeper);
        stop.addEventListener('abort', () => {
          sleepers.delete(sleeper);
          reject(stop.reason);
        });
      });
    },
    advance() {
      let first: Sleeper | null = null;
      for (const sleeper of sleepers) if (!first || sleeper.at < first.at) first = sleeper;
      if (!first) return;
      sleepers.delete(first);
      now = Math.max(now, first.at);
      first.wake();
    },
  };
}

/** Takes so many a second, and refuses the rest as an API does that sheds what it cannot take. */
function limitedApi(now: () => number) {
  const arrivals: number[] = [];
  const accepted: number[] = [];
  return {
    arrivals,
    async submit(report: WireReport): Promise<Receipt> {
      const second = Math.floor(now() / 1_000);
      arrivals[second] = (arrivals[second] ?? 0) + 1;
      if ((accepted[second] ?? 0) >= capacity) {
        throw new SubmitError('UNAVAILABLE', 'busy', { retryAfterMs: retryAfterSeconds * 1_000 });
      }
      accepted[second] = (accepted[second] ?? 0) + 1;
      return { reportId: report.id, duplicate: false };
    },
    async submitMany(): Promise<never> {
      throw new Error('each agent has one report');
    },
  };
}

test('a thousand agents that are all told to come again after 5 s do not come again together', async () => {
  const folder = await temporaryFolder();
  const clock = sharedClock();
  const api = limitedApi(clock.now);
  const random: Random = seededRandom(1);
  const bounds = { maxBytes: 2 ** 26, maxAgeMs: 60_000 };
  let acknowledged = 0;

  const running = Array.from({ length: agents }, async (_, number) => {
    const log = recordingLog();
    const spool = openSpool({ stateFolder: join(folder, String(number)), bounds, log, now: () => start });
    const stop = new AbortController();
    const watcher = {
      acknowledged() {
        acknowledged += 1;
        stop.abort(new Error('delivered'));
      },
      refused() {},
      failed() {},
    };
    const delivery = createDelivery({ api, spool, log, clock, random, watcher });
    await delivery.add(agentReport(start + number));
    await delivery.deliver(stop.signal);
  });
  const all = Promise.all(running).then(() => 'done');
  while (acknowledged < agents) {
    // Whoever neither sleeps nor is done still has something to do at this moment.
    if (clock.sleepers.size + acknowledged >= agents) clock.advance();
    await turn();
  }
  await all;

  const [first = 0, ...later] = Array.from(api.arrivals, (count) => count ?? 0);
  // All at once at first, as after a power cut. They are told 5 s, and none comes sooner.
  expect(first).toBe(agents);
  expect(later.slice(0, retryAfterSeconds - 1)).toEqual(Array(retryAfterSeconds - 1).fill(0));
  // Evenly over 5 s they would be 180 in each.
  expect(Math.max(...later)).toBeLessThan((1.4 * (agents - capacity)) / retryAfterSeconds);
  expect(later.filter((count) => count > 0).length).toBeGreaterThan(2 * retryAfterSeconds);
});
