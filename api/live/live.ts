/**
 * live: hands what comes into the index to those who asked for it as it comes.
 *
 * Each subscription is a question about reports that have just come in, which the index answers: so a filter means the
 * same here as anywhere. Subscriptions with the same question share its answer.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../failure.ts';
import type { IndexStore } from '../index/index-store.ts';
import { makeSubscriber, type Subscriber } from './subscriber.ts';

export type LiveQuestion<Row> = {
  /** Equal for questions with equal answers. */
  key: string;
  /** What of these reports is asked for, in the order it came in. */
  ask(reportIds: string[]): Promise<readonly Row[]>;
};

export type Live = {
  /** @throws Failure UNAVAILABLE when there are too many subscriptions, or the index does not answer */
  subscribe<Row>(question: LiveQuestion<Row>): Promise<AsyncIterableIterator<Row>>;
  /** Ends every subscription. */
  close(): Promise<void>;
};

export type LiveOptions = {
  index: Pick<IndexStore, 'onReports'>;
  /** Told when a question cannot be answered: its subscriptions end. */
  onError: (cause: unknown) => void;
};

const maxSubscribers = 1_000;
/** Reports of one question to the index. */
const reportsAtOnce = 500;
/** With an index that hangs, more would only pile up. */
const maxReportsWaiting = 20_000;
/** An index that restarts is back by then. */
const retriesMs = [100, 500, 2_000];

/** Subscriptions with one question, and the reports that it is still to be asked of. */
type Topic = {
  ask: LiveQuestion<unknown>['ask'];
  subscribers: Set<Subscriber<unknown>>;
  waiting: string[];
  isAsking: boolean;
};

export function openLive({ index, onError }: LiveOptions): Live {
  const topics = new Map<string, Topic>();
  let count = 0;
  let closed = false;
  let listening: Promise<() => Promise<void>> | null = null;

  function onReports(ids: string[]): void {
    for (const topic of topics.values()) {
      topic.waiting.push(...ids);
      if (topic.waiting.length > maxReportsWaiting) {
        fail(topic, new Failure('UNAVAILABLE', 'the index answers too slowly to follow what comes in'));
      } else if (!topic.isAsking) drain(topic);
    }
  }

  async function drain(topic: Topic): Promise<void> {
    topic.isAsking = true;
    try {
      while (topic.waiting.length > 0 && topic.subscribers.size > 0) {
        const rows = await askAgain(topic, topic.waiting.splice(0, reportsAtOnce));
        for (const subscriber of topic.subscribers) subscriber.push(rows);
      }
    } catch (cause) {
      onError(cause);
      fail(topic, cause as Error);
    }
    topic.isAsking = false;
  }

  async function askAgain({ ask, subscribers }: Topic, ids: string[]): Promise<readonly unknown[]> {
    for (const retryMs of retriesMs) {
      try {
        return await ask(ids);
      } catch (cause) {
        if (!(cause instanceof Failure) || subscribers.size === 0) throw cause;
        await delay(retryMs, undefined, { ref: false });
      }
    }
    return ask(ids);
  }

  function fail(topic: Topic, cause: Error): void {
    topic.waiting.length = 0;
    for (const subscriber of topic.subscribers) subscriber.end(cause);
  }

  async function stopListening(): Promise<void> {
    const listened = listening;
    listening = null;
    const stop = await listened?.catch(() => null);
    await stop?.();
  }

  return {
    async subscribe<Row>({ key, ask }: LiveQuestion<Row>) {
      if (closed) throw new Failure('UNAVAILABLE', 'the API is stopping');
      if (count >= maxSubscribers) {
        throw new Failure('UNAVAILABLE', `there are ${maxSubscribers} subscriptions already`);
      }
      const topic = topics.get(key) ?? { ask, subscribers: new Set(), waiting: [], isAsking: false };
      topics.set(key, topic);
      const subscriber = makeSubscriber<Row>(() => {
        topic.subscribers.delete(subscriber as Subscriber<unknown>);
        count -= 1;
        if (topic.subscribers.size === 0 && topics.get(key) === topic) topics.delete(key);
        if (count === 0) stopListening().catch(onError);
      });
      topic.subscribers.add(subscriber as Subscriber<unknown>);
      count += 1;
      listening ??= index.onReports(onReports);
      try {
        await listening;
      } catch (cause) {
        listening = null;
        subscriber.end();
        throw cause;
      }
      return subscriber;
    },
    async close() {
      closed = true;
      for (const { subscribers } of topics.values()) for (const subscriber of subscribers) subscriber.end();
      await stopListening();
    },
  };
}
