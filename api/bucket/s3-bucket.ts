/**
 * s3-bucket: a bucket on S3, or any server that speaks its protocol.
 *
 * The only file that knows the AWS SDK. Uses what every store has: whole buffered bodies, single
 * deletes, no conditions. Credentials come from the SDK's own chain and are never read here.
 */
import {
  DeleteObjectCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { messageOf } from '../../plugins/message-of.ts';
import { Failure } from '../failure.ts';
import { assertKey, type Bucket, type ByteRange } from './bucket.ts';

export type S3Settings = {
  bucket: string;
  /** Before every key, without slashes at its ends; empty for none. */
  prefix: string;
  /** @default the SDK's own: AWS_REGION or the shared config */
  region?: string;
  /** @default AWS itself */
  endpoint?: string;
  /** Puts the bucket into the path instead of the host name, as most other servers want. */
  forcePathStyle: boolean;
};

/** How long a store may take, in milliseconds, for each attempt. */
export type S3Limits = { connect: number; answer: number };

/** A store that takes a request and never answers must not hold up all that wait behind it. */
const defaultLimits: S3Limits = { connect: 5_000, answer: 30_000 };

/**
 * Requests for one operation. The SDK's standard mode tries again what may pass by itself: timeouts, a connection that
 * is refused, reset or not found, 429, 500, 502, 503, 504 and the store's own "SlowDown"; with full jitter, from 0.1 s
 * on, and 0.5 s when throttled. After about a hundred tries in vain it stops trying again until the store answers,
 * so that an outage is not made worse. Stated here, as AWS_MAX_ATTEMPTS and AWS_RETRY_MODE would otherwise decide.
 */
const retries = { maxAttempts: 4, retryMode: 'standard' };
/** What one list request holds at most, by the protocol. */
const pageSize = 1000;

export function openS3Bucket(settings: S3Settings, limits: S3Limits = defaultLimits): Bucket {
  const { bucket, prefix, region, endpoint, forcePathStyle } = settings;
  const client = new S3Client({
    forcePathStyle,
    ...retries,
    ...(region ? { region } : {}),
    ...(endpoint ? { endpoint } : {}),
    // Checksums by default send bodies as aws-chunked streams, which Ceph 16 and others store as they come.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: limits.connect,
      requestTimeout: limits.answer,
      socketTimeout: limits.answer,
      throwOnRequestTimeout: true,
    },
  });
  const root = prefix === '' ? '' : `${prefix}/`;
  const location = `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}${endpoint ? ` at ${endpoint}` : ''}`;

  function nameOf(key: string): { Bucket: string; Key: string } {
    assertKey(key);
    return { Bucket: bucket, Key: root + key };
  }

  async function attempt<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      throw new Failure('UNAVAILABLE', `cannot ${what} in ${location}: ${reasonOf(cause)}`, { cause });
    }
  }

  /** The SDK's own attempts end with the head of the answer; a connection may break in its body as well. */
  async function getWhole(input: GetObjectCommandInput): Promise<Uint8Array> {
    for (let attempts = 1; ; attempts += 1) {
      const { Body } = await client.send(new GetObjectCommand(input));
      if (!Body) return new Uint8Array();
      try {
        return await Body.transformToByteArray();
      } catch (cause) {
        if (attempts === retries.maxAttempts) throw cause;
      }
    }
  }

  return {
    location,
    close: () => client.destroy(),

    async put(key, body) {
      const name = nameOf(key);
      await attempt(`put ${key}`, async () => {
        const { ETag } = await client.send(new PutObjectCommand({ ...name, Body: body }));
        // A captive portal or a web server answers 200 to anything; a store tells what it stored.
        if (!ETag) throw new Error(notS3);
      });
    },

    async get(key, range) {
      const name = nameOf(key);
      if (range && range.end !== undefined && range.end <= range.start) return new Uint8Array();
      return attempt(`get ${key}`, async () => {
        try {
          return await getWhole({ ...name, ...(range ? { Range: rangeHeader(range) } : {}) });
        } catch (cause) {
          if (isStatus(cause, 404) && !isNamed(cause, 'NoSuchBucket')) return null;
          // The range begins behind the object's end.
          if (isStatus(cause, 416)) return new Uint8Array();
          throw cause;
        }
      });
    },

    async *list({ prefix: keyPrefix = '', after, limit = Number.POSITIVE_INFINITY } = {}) {
      let token: string | undefined;
      let left = limit;
      while (left > 0) {
        const page = await attempt('list', () =>
          client.send(
            new ListObjectsV2Command({
              Bucket: bucket,
              Prefix: root + keyPrefix,
              MaxKeys: Math.min(left, pageSize),
              ...(token ? { ContinuationToken: token } : {}),
              ...(after && !token ? { StartAfter: root + after } : {}),
            }),
          ),
        );
        if (page.IsTruncated === undefined)
          throw new Failure('UNAVAILABLE', `cannot list ${location}: ${notS3}`);
        // A store may send more than it was asked for.
        const objects = (page.Contents ?? []).slice(0, left);
        for (const { Key, Size } of objects) if (Key) yield { key: Key.slice(root.length), size: Size ?? 0 };
        left -= objects.length;
        if (!page.IsTruncated) return;
        token = page.NextContinuationToken;
        if (left > 0 && !token) throw cutShort(location);
      }
    },

    async delete(key) {
      const name = nameOf(key);
      await attempt(`delete ${key}`, () => client.send(new DeleteObjectCommand(name)));
    },
  };
}

const full = 'the store is full, or its quota used up: make room or raise it';
const hints: Record<string, string> = {
  AccessDenied: 'check the credentials and policy',
  InvalidAccessKeyId: 'check the credentials and policy',
  QuotaExceeded: full,
  XMinioStorageFull: full,
};

const notS3 = 'the answer is not that of an S3 server; check the endpoint in BUCKET_URL';

function rangeHeader({ start, end }: ByteRange): string {
  return `bytes=${start}-${end === undefined ? '' : end - 1}`;
}

function cutShort(location: string): Failure {
  return new Failure(
    'UNAVAILABLE',
    `cannot list ${location}: the store cut the list short without a way to go on`,
  );
}

function isStatus(cause: unknown, status: number): boolean {
  return cause instanceof S3ServiceException && cause.$metadata.httpStatusCode === status;
}

function isNamed(cause: unknown, name: string): boolean {
  return cause instanceof Error && cause.name === name;
}

/** The store's own word, with what to do about the errors that an operator meets first. */
function reasonOf(cause: unknown): string {
  const name = cause instanceof Error ? cause.name : '';
  if (name === 'NoSuchBucket') return 'there is no such bucket; create it, or correct BUCKET_URL';
  if (name === 'CredentialsProviderError') {
    return 'no AWS credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile or a role';
  }
  const hint = hints[name] ?? (isStatus(cause, 507) ? hints.QuotaExceeded : undefined);
  return `${name && name !== 'Error' ? `${name}: ` : ''}${messageOf(cause)}${hint ? `; ${hint}` : ''}`;
}
