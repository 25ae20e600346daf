/**
 * while-good: ends what lasts as long as its client likes, once the credentials that it began with are good no more.
 *
 * Looked at before each event and each page: what says nothing tells nothing.
 */
import { GraphQLError } from 'graphql';
import type { Live } from '../live/live.ts';
import type { Credentials } from './credentials.ts';
import type { Identity } from './identity.ts';

export type IsGood = (identity: Identity) => boolean;

export function makeIsGood(credentials: Pick<Credentials, 'isGood'>, now: () => number): IsGood {
  return ({ kind, id, goodUntil }) => {
    if (goodUntil !== undefined) return now() < goodUntil;
    return kind === 'token' || kind === 'host' ? credentials.isGood(id) : true;
  };
}

export function noLongerGood(): GraphQLError {
  const message = 'these credentials are good no more: ask again with others';
  return new GraphQLError(message, { extensions: { code: 'UNAUTHENTICATED' } });
}

export function liveWhileGood(live: Live, isGood: () => boolean): Live {
  return {
    ...live,
    async subscribe<Row>(question: Parameters<Live['subscribe']>[0]) {
      const events = (await live.subscribe(question)) as AsyncIterableIterator<Row>;
      return {
        [Symbol.asyncIterator]() {
          return this;
        },
        async next() {
          const event = await events.next();
          if (event.done || isGood()) return event;
          await events.return?.();
          throw noLongerGood();
        },
        return: async () => (await events.return?.()) ?? { done: true, value: undefined },
        throw: async (cause) => (await events.throw?.(cause)) ?? { done: true, value: undefined },
      };
    },
  } as Live;
}
