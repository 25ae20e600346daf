/** subscriber: the rows that wait for one subscription, as an async iterator that may end at any moment. */
import { GraphQLError } from 'graphql';

export type Subscriber<Row> = AsyncIterableIterator<Row> & {
  push(rows: readonly Row[]): void;
  /** Ends it; what waits is given up when there is an error. */
  end(error?: Error): void;
};

/** Some seconds of a busy fleet: who reads slower than rows come in would only fall further behind. */
const maxWaiting = 1_000;

/** @param onEnd told once, whoever ended it */
export function makeSubscriber<Row>(onEnd: () => void): Subscriber<Row> {
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
    settle();
  }

  /** Gives whoever waits what there is. */
  function settle(): void {
    if (!reader) return;
    const waiting = reader;
    const [row] = rows;
    if (row !== undefined) {
      rows.shift();
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
      if (ended) return;
      for (const row of more) {
        rows.push(row);
        settle();
      }
      if (rows.length > maxWaiting) end(tooSlow());
    },
    end,
  };
  return subscriber;
}

function tooSlow(): Error {
  const message = `more than ${maxWaiting} rows wait to be read: subscribe again, with a filter that fewer pass`;
  return new GraphQLError(message, { extensions: { code: 'SUBSCRIBER_TOO_SLOW' } });
}
