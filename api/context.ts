/**
 * context: what a resolver has at hand, made for each request.
 */
import { GraphQLError } from 'graphql';
import { formatDuration } from '../plugins/duration.ts';
import type { AnyPlugin } from '../plugins/plugin.ts';
import { type AnswerSize, makeAnswerSize } from './answer-size.ts';
import type { Admission } from './auth/admission.ts';
import type { Credentials } from './auth/credentials.ts';
import type { Identity } from './auth/identity.ts';
import { narrowedServices } from './auth/narrowed-services.ts';
import { type IsGood, liveWhileGood } from './auth/while-good.ts';
import { Failure } from './failure.ts';
import type { IndexReader, RequestReader } from './index/index-store.ts';
import { askReader, readerOf } from './index/reader-methods.ts';
import type { Intake } from './intake.ts';
import type { KnownFacts } from './known-facts.ts';
import type { Limits } from './limits/limits.ts';
import type { Live } from './live/live.ts';
import { type Loaders, makeLoaders } from './loaders.ts';
import type { Audit } from './operations/audit.ts';
import type { Truncated } from './truncated.ts';

/** What lives as long as the server does. */
export type Services = {
  index: IndexReader & RequestReader;
  admission: Admission;
  intake: Intake;
  knownFacts: KnownFacts;
  live: Live;
  credentials: Credentials;
  /** Whether who began something may go on with it. */
  isGood: IsGood;
  audit: Audit;
  /** How often anyone may ask. */
  limits: Limits;
  plugins: readonly AnyPlugin[];
  /** How long the index may work for one request. */
  queryTimeoutMs: number;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Makes the id of a report that came without one. */
  makeId: () => string;
};

export type ApiContext = Omit<Services, 'index'> & {
  /** What outlives the request, narrowed to what is there for who asks: for what a subscription asks as events come. */
  services: Services;
  /** Who asks. */
  identity: Identity;
  /** Gives up when the request does, or takes too long. */
  index: IndexReader;
  loaders: Loaders;
  /** What the answer holds already. */
  size: AnswerSize;
  /** Lists that were cut short, for the answer to say so. */
  truncated: Truncated[];
  /** Begins anew with time and what was loaded: for each event of a subscription. */
  renew(): void;
};

/** @param request whoever has sent it may go before it is answered */
export function makeContext(all: Services, request: Pick<Request, 'signal'>, identity: Identity): ApiContext {
  const services = narrowedServices(all, identity.narrowedTo);
  let before: LimitedReader | null = null;
  const fresh = () => {
    before?.release();
    const index = limited(services, request);
    before = index;
    return { index, size: makeAnswerSize(), truncated: [], loaders: makeLoaders(index) };
  };
  const context: ApiContext = {
    ...services,
    live: liveWhileGood(services.live, () => services.isGood(identity)),
    services,
    identity,
    ...fresh(),
    renew: () => Object.assign(context, fresh()),
  };
  return context;
}

export type LimitedReader = IndexReader & {
  /** Waits for neither the time nor the client any more. */
  release(): void;
};

/** The index for as long as one request may take. */
export function limited(
  { index, queryTimeoutMs }: Pick<Services, 'index' | 'queryTimeoutMs'>,
  request: Pick<Request, 'signal'>,
): LimitedReader {
  // Begins when it is first asked: most requests submit a report, and ask nothing.
  let reader: IndexReader | null = null;
  let release = () => {};
  const begin = () => {
    const ending = new AbortController();
    const timer = setTimeout(() => ending.abort(tooLong(queryTimeoutMs)), queryTimeoutMs).unref();
    // Not AbortSignal.any: over a socket the server hands in a signal of its own making.
    const { signal } = request;
    const leave = () => ending.abort(new Failure('UNAVAILABLE', 'the client has gone'));
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
    release = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', leave);
    };
    return index.forRequest(ending.signal);
  };
  const limitedReader = readerOf((method, args) => {
    reader ??= begin();
    return askReader(reader, method, args);
  });
  return { ...limitedReader, release: () => release() };
}

export function tooLong(ms: number): GraphQLError {
  const message = `the query took longer than ${formatDuration(ms)}: ask for less, or narrow it by a filter`;
  return new GraphQLError(message, { extensions: { code: 'QUERY_TIMEOUT' } });
}
