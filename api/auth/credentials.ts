/**
 * credentials: who may do what, kept in the bucket and followed by every node.
 *
 * What happens to a credential is an object of its own (see credential-event). A node lists what is new every few seconds,
 * and at once when it is shown a secret that it does not know: so a new one is good everywhere, and a revoked one is
 * refused everywhere within seconds. While the bucket does not answer, what was known last goes on.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { v7 as uuidV7 } from 'uuid';
import type { BucketReader, BucketWriter } from '../bucket/bucket.ts';
import { Failure } from '../failure.ts';
import { type Credential, type CredentialDraft, hashOf, isSecret, makeSecret } from './credential.ts';
import {
  credentialKey,
  credentialPrefix,
  decodeCreated,
  encodeCreated,
  encodeRevoked,
  firstKeyAt,
  parseCredentialKey,
} from './credential-event.ts';
import { type CredentialState, makeDirectory } from './directory.ts';

/** A list request each: at 5 seconds some three dollars a month of S3. */
const followEveryMs = 5_000;
/** Whoever sends made-up secrets must not make a list request of each. */
const leastBetweenMs = 1_000;
/** What another node with a clock that is behind has put before the newest that is known. */
const overlapMs = 10 * 60_000;
/** All keys, for a clock that is further behind than that. */
const wholeEveryMs = 60 * 60_000;
const readsAtOnce = 32;

export type Credentials = {
  /** Reads all there are. @throws Failure UNAVAILABLE when the bucket does not answer */
  load(): Promise<void>;
  /** Follows what other nodes and the command line do, until it is closed. */
  start(): void;
  close(): Promise<void>;
  /** Whether it is good at this moment, as far as this node knows. */
  isGood(id: string): boolean;
  /** Null for a secret that nobody made. What is found may be good no more: see the state. */
  find(secret: string): Promise<{ credential: Credential; state: CredentialState } | null>;
  /**
   * Makes one, and shows its secret this once.
   *
   * @throws Failure UNAVAILABLE when the bucket does not take it
   */
  create(draft: CredentialDraft): Promise<{ credential: Credential; secret: string }>;
  /** False when there is none of this id. @throws Failure UNAVAILABLE when the bucket does not take it */
  revoke(id: string, by: string | null): Promise<boolean>;
  /** Null when there is none of this id. */
  get(id: string): Listed | null;
  list(): Listed[];
};

/** A credential as an administrator sees it. */
export type Listed = { credential: Credential; state: CredentialState; enrolled: number };

export type CredentialsOptions = {
  bucket: BucketReader & BucketWriter;
  logger: Pick<Logger, 'warn' | 'error'>;
  /** Milliseconds since 1970. @default Date.now */
  now?: () => number;
};

export function openCredentials({ bucket, logger, now = Date.now }: CredentialsOptions): Credentials {
  const directory = makeDirectory();
  /** Objects that were read, or cannot be. */
  const known = new Set<string>();
  let newestAt = 0;
  let wholeAt = Number.NEGATIVE_INFINITY;
  let followedAt = Number.NEGATIVE_INFINITY;
  let following: Promise<void> | null = null;
  let soon: Promise<void> | null = null;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  async function take(key: string): Promise<void> {
    const parsed = parseCredentialKey(key);
    if (!parsed) {
      logger.warn({ key }, 'not a credential: left alone');
    } else if (parsed.event === 'revoked') {
      directory.revoke(parsed.id);
    } else {
      const body = await bucket.get(key);
      try {
        if (body) directory.add(decodeCreated(key, parsed.id, body), parsed.eventId);
      } catch (cause) {
        // Whoever has its secret is refused.
        logger.error({ err: cause }, 'credential cannot be read');
      }
    }
    known.add(key);
    if (parsed) newestAt = Math.max(newestAt, timeOf(parsed.eventId));
  }

  async function read(isWhole: boolean): Promise<void> {
    const startedAt = now();
    const after = isWhole ? {} : { after: firstKeyAt(newestAt - overlapMs) };
    let batch: Promise<void>[] = [];
    for await (const { key } of bucket.list({ prefix: credentialPrefix, ...after })) {
      if (known.has(key)) continue;
      batch.push(take(key));
      if (batch.length === readsAtOnce) {
        await Promise.all(batch);
        batch = [];
      }
    }
    await Promise.all(batch);
    followedAt = startedAt;
    if (isWhole) wholeAt = startedAt;
  }

  /** One at a time; whoever comes meanwhile may have put after it began, and waits for the next. */
  async function follow(): Promise<void> {
    if (following) await following.catch(() => {});
    following ??= read(now() - wholeAt > wholeEveryMs).finally(() => {
      following = null;
    });
    await following;
  }

  /** All who ask before it begins share it. Nobody is refused what was made before they came. */
  function lookSoon(): Promise<void> {
    soon ??= (async () => {
      await delay(Math.max(0, Math.min(leastBetweenMs, followedAt + leastBetweenMs - now())));
      soon = null;
      await follow();
    })();
    return soon;
  }

  function scheduleNext(): void {
    if (closed) return;
    timer = setTimeout(async () => {
      await follow().catch((cause) => {
        logger.warn({ err: cause }, 'credentials cannot be followed: those known last go on');
      });
      scheduleNext();
    }, followEveryMs).unref();
  }

  const describe = (credential: Credential): Listed => ({
    credential,
    state: directory.stateOf(credential, now()),
    enrolled: directory.usesOf(credential.id),
  });

  /** After all events that are known, also where this clock is behind. */
  const makeEventId = () => uuidV7({ msecs: Math.max(now(), newestAt + 1) });

  return {
    load: () => read(true),
    start: scheduleNext,
    async close() {
      closed = true;
      clearTimeout(timer);
      await following?.catch(() => {});
    },
    isGood(id) {
      const credential = directory.byId(id);
      return credential !== null && directory.stateOf(credential, now()) === 'valid';
    },
    async find(secret) {
      if (!isSecret(secret)) return null;
      const hash = hashOf(secret);
      if (!directory.byHash(hash)) {
        await lookSoon().catch((cause) => logger.warn({ err: cause }, 'credentials cannot be followed'));
      }
      const credential = directory.byHash(hash);
      return credential && { credential, state: directory.stateOf(credential, now()) };
    },
    async create(draft) {
      const secret = makeSecret(draft.kind);
      const eventId = makeEventId();
      const credential = { id: uuidV7(), ...draft, hash: hashOf(secret), createdAt: now() };
      const key = credentialKey({ eventId, event: 'created', id: credential.id });
      await bucket.put(key, encodeCreated(credential));
      directory.add(credential, eventId);
      known.add(key);
      newestAt = Math.max(newestAt, timeOf(eventId));
      // Who was first among those that spend the last use of an enrolment secret shows only in the bucket.
      if (credential.enrolment !== null) await follow();
      const state = directory.stateOf(credential, now());
      if (state === 'spent')
        throw new Failure('INVALID', 'the enrolment secret has been used as often as it may be');
      return { credential, secret };
    },
    async revoke(id, by) {
      if (!directory.byId(id)) await follow();
      if (!directory.byId(id)) return false;
      await bucket.put(credentialKey({ eventId: makeEventId(), event: 'revoked', id }), encodeRevoked(by));
      directory.revoke(id);
      return true;
    },
    get(id) {
      const credential = directory.byId(id);
      return credential && describe(credential);
    },
    list: () => directory.all().map(describe),
  };
}

/** Of a UUID version 7, in milliseconds since 1970. */
function timeOf(uuid: string): number {
  return Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16);
}
