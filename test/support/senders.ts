/**
 * senders: agents that send one report after another to real APIs, and send again, under the same id, whatever was not
 * acknowledged: to the next API, or to the same once it answers.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type Answer, submitMutation } from './api.ts';
import { answerOf } from './api-process.ts';
import { hostId, result } from './reports.ts';

export type Senders = {
  /** Ids of acknowledged reports, in that order. */
  acknowledged: ReadonlySet<string>;
  /** How many times it was answered `duplicate`. */
  duplicates(): number;
  /** How many attempts failed, by the code of the error; `none` where there was no answer. */
  failed: ReadonlyMap<string, number>;
  /** The last error that was answered. */
  lastError(): NonNullable<Answer['errors']>[number] | null;
  /** From now on reports go there. */
  sendTo(...urls: string[]): void;
  /** Resolves once each sender's last report is acknowledged. */
  stop(): Promise<void>;
};

export type SendersOptions = {
  /** How many send at the same time, each for a host of its own. */
  count: number;
  /** Milliseconds between two reports of one sender. @default 0, which is as fast as they are answered */
  everyMs?: number;
  /** Each report has so many characters that no other has. @default 0 */
  padding?: number;
};

/** Between two attempts; real agents wait far longer. */
const retryMs = 50;
/** An API that hangs must not hold up the test for longer than this. */
const patienceMs = 20_000;

export function startSenders({ count, everyMs = 0, padding = 0 }: SendersOptions, ...to: string[]): Senders {
  const acknowledged = new Set<string>();
  const failed = new Map<string, number>();
  let urls = to;
  let duplicates = 0;
  let lastError: ReturnType<Senders['lastError']> = null;
  let stopping = false;

  /** Whether it was acknowledged. */
  async function attempt(url: string, input: { id: string }): Promise<boolean> {
    try {
      const signal = AbortSignal.timeout(patienceMs);
      const { data, errors = [] } = await answerOf(url, submitMutation, { input }, signal);
      const [error] = errors;
      if (error) {
        lastError = error;
        count1(failed, error.extensions.code);
        return false;
      }
      if (data.submitReport.duplicate) duplicates += 1;
      acknowledged.add(input.id);
      return true;
    } catch {
      count1(failed, 'none');
      return false;
    }
  }

  async function send(sender: number): Promise<void> {
    for (let number = 0; !stopping; number += 1) {
      const input = {
        id: crypto.randomUUID(),
        host: { id: hostId(sender), name: `web-${sender}` },
        collectedAt: new Date().toISOString(),
        results: [
          result('os', { platform: 'linux', kernel: `6.1.${number % 7}`, note: noise(padding) }, { number }),
        ],
      };
      for (let attempts = 0; ; attempts += 1) {
        const url = urls[(sender + attempts) % urls.length];
        if (url !== undefined && (await attempt(url, input))) break;
        await pause(retryMs);
      }
      if (everyMs > 0) await pause(everyMs);
    }
  }

  const running = Array.from({ length: count }, (_, sender) => send(sender));
  return {
    acknowledged,
    failed,
    duplicates: () => duplicates,
    lastError: () => lastError,
    sendTo(...next) {
      urls = next;
    },
    async stop() {
      stopping = true;
      await Promise.all(running);
    },
  };
}

function count1(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}

/** Text that cannot be compressed. */
function noise(length: number): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(length / 2))).toString('hex');
}
