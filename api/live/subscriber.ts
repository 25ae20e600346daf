/** subscriber: the rows that wait for one subscription, as an async iterator that may end at any moment. */
import { GraphQLError } from 'graphql';

export type Subscriber<Row> = AsyncIterableIterator<Row> & {
  /** However many they are; ends it when too many wait already. */
  push(rows: readonly Row[]): void;
  /** Whether it has read nearly all. */
  hasRoom(): boolean;
  /** Ends it; what waits is given up when there is an error. */
  end(error?: Error): void;
};

/** Some seconds of a busy fleet: who reads slower than rows come in would only fall further behind. */
const maxWaiting = 1_000;
/** With so few left there is room for more. */
const roomAt = 100;

export type SubscriberOptions = {
  /** Told when there is room again, or nobody who needs any. */
  onRoom: () => void;
  /** Told once, whoever ended it. */
  onEnd: () => void;
};

export function makeSubscriber<Row>({ onRoom, onEnd }: SubscriberOptions): Subscriber<Row> {
  const rows: Row[] = [];
  let failure: Error | null = null;
  let ended = false;
  let reader: PromiseWithResolvers<IteratorResult<Row>> | null = null;

  function end(error?: Error): void {
    if (ended) return;
    ended = true;
    if (error) {
      rows.length = 0;
      failure = error;
    }
    onEnd();
    onRoom();
    settle();
  }

  /** Gives whoever waits what there is. */
  function settle(): void {
    if (!reader) return;
    const waiting = reader;
    const [row] = rows;
    if (row !== undefined) {
      rows.shift();
      if (rows.length === roomAt) onRoom();
      waiting.resolve({ value: row, done: false });
    } else if (failure) {
      waiting.reject(failure);
      failure = null;
    } else if (ended) {
      waiting.resolve({ value: undefined, done: true });
    } else {
      return;
    }
    reader = null;
  }

  const subscriber: Subscriber<Row> = {
    [Symbol.asyncIterator]: () => subscriber,
    async next() {
      reader = Promise.withResolvers();
      const { promise } = reader;
      settle();
      return promise;
    },
    async return() {
      rows.length = 0;
      end();
      return { value: undefined, done: true };
    },
    push(more) {
      if (rows.length > maxWaiting) end(tooSlow(`${rows.length} rows`));
      if (ended) return;
      for (const row of more) rows.push(row);
      settle();
    },
    hasRoom: () => rows.length <= roomAt,
    end,
  };
  return subscriber;
}

/** @param waiting what has not been read, such as `1200 rows` */
export function tooSlow(waiting: string): Error {
  const message = `${waiting} wait to be read: subscribe again, and read faster, or take a filter that fewer pass`;
  return new GraphQLError(message, { extensions: { code: 'SUBSCRIBER_TOO_SLOW' } });
}
