/**
 * live: hands what comes into the index to those who asked for it as it comes.
 *
 * Each subscription is a question about reports that have just come in, which the index answers: so a filter means the
 * same here as anywhere. Subscriptions with the same question share its answer.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { GraphQLError } from 'graphql';
import { Failure } from '../failure.ts';
import type { IndexStore } from '../index/index-store.ts';
import { makeSubscriber, type Subscriber, tooSlow } from './subscriber.ts';

export type LiveQuestion<Row> = {
  /** Equal for questions with equal answers. */
  key: string;
  /**
   * What of these reports is asked for, in the order it came in; a part of it, where it is much.
   *
   * @param after the last row of the part before; null for the first part
   */
  ask(reportIds: string[], after: Row | null): Promise<LivePart<Row>>;
};

export type LivePart<Row> = { rows: readonly Row[]; goesOn: boolean };

export type Live = {
  /**
   * Hears of what comes in from now on.
   *
   * @throws GraphQLError UNAVAILABLE when there are too many subscriptions
   * @throws Failure UNAVAILABLE when the index does not answer
   */
  subscribe<Row>(question: LiveQuestion<Row>): Promise<AsyncIterableIterator<Row>>;
  /** How many there are. */
  subscribers(): number;
  /** Ends every subscription. */
  close(): Promise<void>;
};

export type LiveOptions = {
  index: Pick<IndexStore, 'onReports'>;
  /** Told when a question cannot be answered: its subscriptions end. */
  onError: (cause: unknown) => void;
};

export const maxSubscribers = 1_000;
/** Reports of one question to the index: with all their facts they may be some megabytes. */
const reportsAtOnce = 100;
/** With an index that hangs, or subscribers that do not read, more would only pile up. */
const maxReportsWaiting = 20_000;
/** Until some of those who are there have left. */
const retryAfterSeconds = 30;
/** An index that restarts is back by then. */
const retriesMs = [100, 500, 2_000];

/** Subscriptions with one question, and the reports that it is still to be asked of. */
type Topic = {
  key: string;
  ask: LiveQuestion<unknown>['ask'];
  subscribers: Set<Subscriber<unknown>>;
  waiting: string[];
  isAsking: boolean;
  /** While nobody has room for more: resolved when somebody may. */
  room: PromiseWithResolvers<void> | null;
};

export function openLive({ index, onError }: LiveOptions): Live {
  const topics = new Set<Topic>();
  let count = 0;
  let closed = false;
  let listening: Promise<() => Promise<void>> | null = null;

  function onReports(ids: string[]): void {
    for (const topic of topics) {
      for (const id of ids) topic.waiting.push(id);
      if (!topic.isAsking) drain(topic);
      else if (topic.waiting.length > maxReportsWaiting) fail(topic, tooMany(topic));
    }
  }

  async function drain(topic: Topic): Promise<void> {
    topic.isAsking = true;
    try {
      while (topic.waiting.length > 0 && topic.subscribers.size > 0) {
        const ids = topic.waiting.splice(0, reportsAtOnce);
        let part: LivePart<unknown> = { rows: [], goesOn: true };
        while (part.goesOn && topic.subscribers.size > 0) {
          part = await askAgain(topic, ids, part.rows.at(-1) ?? null);
          for (const subscriber of topic.subscribers) subscriber.push(part.rows);
          await untilRoom(topic);
        }
      }
    } catch (cause) {
      onError(cause);
      fail(topic, cause as Error);
    }
    topic.isAsking = false;
  }

  async function askAgain(
    { ask, subscribers }: Topic,
    ids: string[],
    after: unknown,
  ): Promise<LivePart<unknown>> {
    for (const retryMs of retriesMs) {
      try {
        return await ask(ids, after);
      } catch (cause) {
        if (!(cause instanceof Failure && cause.kind === 'UNAVAILABLE') || subscribers.size === 0)
          throw cause;
        await delay(retryMs, undefined, { ref: false });
      }
    }
    return ask(ids, after);
  }

  /** The quickest reader sets the pace: who reads slower than that falls behind, and is cut off. */
  async function untilRoom(topic: Topic): Promise<void> {
    const { subscribers } = topic;
    while (subscribers.size > 0 && !subscribers.values().some((subscriber) => subscriber.hasRoom())) {
      topic.room = Promise.withResolvers();
      await topic.room.promise;
      topic.room = null;
    }
  }

  /** Whose questions are answered with what comes from now on, and nothing before. */
  function topicOf({ key, ask }: LiveQuestion<unknown>): Topic {
    const same = topics.values().find((topic) => topic.key === key && topic.waiting.length === 0);
    if (same) return same;
    const topic: Topic = { key, ask, subscribers: new Set(), waiting: [], isAsking: false, room: null };
    topics.add(topic);
    return topic;
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
    async subscribe<Row>(question: LiveQuestion<Row>) {
      if (closed) throw new Failure('UNAVAILABLE', 'the API is stopping');
      if (count >= maxSubscribers) throw tooManySubscribers();
      const topic = topicOf(question as LiveQuestion<unknown>);
      const subscriber = makeSubscriber<Row>({
        onRoom: () => topic.room?.resolve(),
        onEnd() {
          topic.subscribers.delete(subscriber as Subscriber<unknown>);
          count -= 1;
          if (topic.subscribers.size === 0) topics.delete(topic);
          if (count === 0) stopListening().catch(onError);
        },
      });
      topic.subscribers.add(subscriber as Subscriber<unknown>);
      topic.room?.resolve();
      count += 1;
      listening ??= index.onReports(onReports);
      const own = listening;
      try {
        await own;
      } catch (cause) {
        // Somebody who came later may listen already.
        if (listening === own) listening = null;
        subscriber.end();
        throw cause;
      }
      return subscriber;
    },
    subscribers: () => count,
    async close() {
      closed = true;
      for (const { subscribers } of topics) for (const subscriber of subscribers) subscriber.end();
      await stopListening();
    },
  };
}

function tooMany({ room, waiting }: Topic): Error {
  if (room) return tooSlow(`${waiting.length} reports`);
  return new Failure('UNAVAILABLE', 'the index answers too slowly to follow what comes in');
}

function tooManySubscribers(): Error {
  const message = `there are ${maxSubscribers} subscriptions already, and no more are taken: try again later, or at another API`;
  return new GraphQLError(message, { extensions: { code: 'UNAVAILABLE', retryAfter: retryAfterSeconds } });
}
