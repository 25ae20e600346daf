import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { describeBucket, type SuiteOptions } from '../../test/contracts/bucket-suite.ts';
import { describeIf } from '../../test/support/needs.ts';
import {
  hasRealS3,
  realS3,
  realS3Needed,
  type S3Server,
  startS3rver,
} from '../../test/support/s3-servers.ts';
import { openS3Bucket } from './s3-bucket.ts';

function describeServer(startServer: () => Promise<S3Server | null>, options?: SuiteOptions): void {
  let server: S3Server;

  beforeAll(async () => {
    const started = await startServer();
    if (!started) throw new Error('no server');
    server = started;
    Object.assign(process.env, server.credentials);
  });

  const open = (settings: { prefix: string; bucket?: string; endpoint?: string }) =>
    openS3Bucket({
      bucket: settings.bucket ?? server.bucket,
      prefix: settings.prefix,
      region: server.region,
      endpoint: settings.endpoint ?? server.endpoint,
      forcePathStyle: true,
    });

  describeBucket(async () => open({ prefix: `suite/${crypto.randomUUID()}` }), options);

  test('a prefix keeps two inventories of one bucket apart', async () => {
    const [one, other] = [open({ prefix: 'one' }), open({ prefix: 'one-more' })];
    await one.put('key', new Uint8Array([1]));
    await other.put('key', new Uint8Array([2]));
    expect([...((await one.get('key')) ?? [])]).toEqual([1]);
    expect(await Array.fromAsync(other.list())).toEqual([{ key: 'key', size: 1 }]);
  });

  test('a bucket that does not exist says what to do', async () => {
    const bucket = open({ prefix: '', bucket: 'there-is-none' });
    const failure = expect.objectContaining({
      kind: 'UNAVAILABLE',
      message: expect.stringMatching(/s3:\/\/there-is-none.*(create it|NoSuchBucket)/),
    });
    await expect(bucket.put('k', new Uint8Array(1))).rejects.toEqual(failure);
    await expect(bucket.get('k')).rejects.toEqual(failure);
    await expect(Array.fromAsync(bucket.list())).rejects.toEqual(failure);
  });

  test('a server that does not answer is UNAVAILABLE, not an empty bucket', async () => {
    const bucket = open({ prefix: '', endpoint: 'http://127.0.0.1:9' });
    await expect(Array.fromAsync(bucket.list())).rejects.toMatchObject({ kind: 'UNAVAILABLE' });
    await expect(bucket.get('k')).rejects.toMatchObject({ kind: 'UNAVAILABLE' });
  });
}

describe('S3 bucket on s3rver', () => describeServer(startS3rver, { ordersPunctuation: false }));

describeIf(hasRealS3(), realS3Needed, 'S3 bucket on the server of S3_ENDPOINT', () => describeServer(realS3));

/** Something that speaks HTTP at the endpoint, and is no S3 server. */
async function openAt(answer: RequestListener) {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x' });
  const endpoint = `http://127.0.0.1:${port}`;
  const settings = { bucket: 'b', prefix: '', region: 'us-east-1', endpoint, forcePathStyle: true };
  return openS3Bucket(settings, { connect: 200, answer: 200 });
}

test.each<[string, RequestListener]>([
  ['a web page', (_request, response) => response.end('<html><body>Please log in</body></html>')],
  ['an empty answer', (_request, response) => response.end()],
  ['no answer', () => {}],
  ['half an answer', (_request, response) => response.writeHead(200, { 'content-length': '99' }).write('<')],
  ['a closed connection', (request) => request.socket.destroy()],
])('%s at the endpoint acknowledges nothing and lists nothing', async (_what, answer) => {
  const bucket = await openAt(answer);
  const unavailable = expect.objectContaining({ kind: 'UNAVAILABLE' });
  await expect(bucket.put('k', new Uint8Array(1))).rejects.toEqual(unavailable);
  await expect(Array.fromAsync(bucket.list())).rejects.toEqual(unavailable);
});

/** Answers in turn, and once more with the last for all that follows; tells the requests it had. */
function inTurn(...answers: RequestListener[]) {
  const asked: string[] = [];
  const listener: RequestListener = (request, response) => {
    const answer = answers[Math.min(asked.length, answers.length - 1)];
    asked.push(`${request.method} ${request.url}`);
    request.resume().on('end', () => answer?.(request, response));
  };
  return { asked, listener };
}

const stored: RequestListener = (_request, response) => response.setHeader('etag', '"x"').end();
const slowDown: RequestListener = (_request, response) =>
  response.writeHead(503).end('<Error><Code>SlowDown</Code><Message>less</Message></Error>');
const internal: RequestListener = (_request, response) =>
  response.writeHead(500).end('<Error><Code>InternalError</Code><Message>oops</Message></Error>');
const reset: RequestListener = (request) => request.socket.destroy();
const denied: RequestListener = (_request, response) =>
  response.writeHead(403).end('<Error><Code>AccessDenied</Code><Message>no</Message></Error>');
const half: RequestListener = (_request, response) => {
  response.writeHead(200, { 'content-length': '4' }).write('ab');
  setTimeout(() => response.destroy(), 20);
};
const whole: RequestListener = (_request, response) => response.end('abcd');

test.each<[string, RequestListener[]]>([
  ['throttled', [slowDown]],
  ['an internal error', [internal, internal]],
  ['a connection that breaks', [reset, reset, reset]],
  ['no answer in time', [() => {}]],
])('%s is tried again, until it is stored', async (_what, answers) => {
  const { asked, listener } = inTurn(...answers, stored);
  const bucket = await openAt(listener);
  await bucket.put('k', new Uint8Array(1));
  expect(asked).toHaveLength(answers.length + 1);
});

test('what does not pass by itself is told at the first try, with what to do', async () => {
  const { asked, listener } = inTurn(denied);
  const bucket = await openAt(listener);
  await expect(bucket.put('k', new Uint8Array(1))).rejects.toThrow(/AccessDenied.*check the credentials/);
  expect(asked).toHaveLength(1);
});

test('four tries in vain are UNAVAILABLE', async () => {
  const { asked, listener } = inTurn(internal);
  const bucket = await openAt(listener);
  await expect(bucket.get('k')).rejects.toMatchObject({ kind: 'UNAVAILABLE' });
  expect(asked).toHaveLength(4);
});

test('an object whose body breaks off is read again, and never taken for a shorter one', async () => {
  const bucket = await openAt(inTurn(half, half, whole).listener);
  expect(Buffer.from((await bucket.get('k')) ?? []).toString()).toBe('abcd');
  const broken = await openAt(inTurn(half).listener);
  await expect(broken.get('k')).rejects.toMatchObject({ kind: 'UNAVAILABLE' });
});

test('whoever wants one key asks the store for one', async () => {
  const { asked, listener } = inTurn((_request, response) =>
    response.end(
      '<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>' +
        '<Contents><Key>reports/a</Key><Size>7</Size></Contents></ListBucketResult>',
    ),
  );
  const bucket = await openAt(listener);
  expect(await Array.fromAsync(bucket.list({ prefix: 'reports/', limit: 1 }))).toEqual([
    { key: 'reports/a', size: 7 },
  ]);
  expect(asked).toEqual([expect.stringMatching(/^GET \/b.*max-keys=1&/)]);
});
