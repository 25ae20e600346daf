/**
 * bucket: the interface to the object store that keeps everything.
 *
 * Objects are written once under names that no one else uses, so no implementation needs conditional
 * puts, and a put that is repeated after an unclear answer does no harm. No key is also the folder of
 * another (`a` beside `a/b`): a file system could not hold both.
 */
import { Failure } from '../failure.ts';

/** Bytes from `start` up to, not including, `end`; to the object's end where `end` is absent. */
export type ByteRange = { start: number; end?: number };

export type ListOptions = {
  /** Only keys that begin so. */
  prefix?: string;
  /** Only keys that come after this one in order; the key itself need not exist. */
  after?: string;
  /** At most so many, the first in order: a store is then asked for no more. */
  limit?: number;
};

/** An object as a list tells it. */
export type ObjectInfo = {
  key: string;
  /** In bytes, as stored. */
  size: number;
};

export type BucketReader = {
  /**
   * The object's bytes, or null when there is none. A range is cut to what the object has.
   *
   * @throws Failure UNAVAILABLE when the store does not answer
   */
  get(key: string, range?: ByteRange): Promise<Uint8Array | null>;
  /**
   * Objects in ascending order of their keys' bytes. Throws rather than end early. Not of one moment: what is put
   * or deleted while it is read may be in it or not.
   *
   * @throws Failure UNAVAILABLE when the store does not answer
   */
  list(options?: ListOptions): AsyncIterable<ObjectInfo>;
};

export type BucketWriter = {
  /**
   * Resolves only once the object is durable: it then survives a crash of this process and machine.
   *
   * @throws Failure UNAVAILABLE when it may not be; the object may be there all the same
   */
  put(key: string, body: Uint8Array): Promise<void>;
  /** Resolves also when there was no such object. Need not be durable: after a crash the object may be there again. */
  delete(key: string): Promise<void>;
};

export type Bucket = BucketReader &
  BucketWriter & {
    /** Where this is, for people, and to tell one bucket from another; without credentials. */
    location: string;
    close(): void;
  };

const segmentOfKey = /^[A-Za-z0-9=_+@-][A-Za-z0-9=_+@.-]*$/;
/** S3's own bound, in bytes; every allowed character is one byte. */
const maxKeyLength = 1024;

/**
 * Refuses keys that some store could not hold or would order or resolve in its own way: what passes
 * is plain ASCII, so that order by characters is order by bytes, and no part can be `.` or `..`.
 *
 * @throws Failure INVALID
 */
export function assertKey(key: string): void {
  if (key.length <= maxKeyLength && key.split('/').every((part) => segmentOfKey.test(part))) return;
  throw new Failure('INVALID', `not a key for a bucket: ${JSON.stringify(key)}`);
}
