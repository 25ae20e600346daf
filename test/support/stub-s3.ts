/** stub-s3: just enough of an S3 server to make it do what no real one should. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { whenFileIsDone } from './cleanup.ts';
import type { S3Server } from './s3-servers.ts';

export type StubS3 = {
  /** Answers a GET, which is a list or an object. */
  get: RequestListener;
  /** Answers a PUT whose body has arrived. */
  put: RequestListener;
};

/** Listens until the test file is done. */
export async function startStubS3({ get, put }: StubS3): Promise<S3Server> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => (request.method === 'PUT' ? put : get)(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  whenFileIsDone(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    bucket: 'inventory',
    credentials: { AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x' },
  };
}

/** A page of a list. @param next how it goes on, as XML */
export const listOf = (keys: readonly string[], next = '<IsTruncated>false</IsTruncated>') =>
  `<ListBucketResult>${keys.map((key) => `<Contents><Key>${key}</Key><Size>1</Size></Contents>`).join('')}${next}</ListBucketResult>`;
