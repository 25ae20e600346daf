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
    expect(await Array.fromAsync(other.list())).toEqual(['key']);
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
