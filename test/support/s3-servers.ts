/**
 * s3-servers: the S3 servers that tests run against.
 *
 * s3rver comes with the development dependencies and always runs. A real one is used where the
 * environment names it: S3_ENDPOINT, S3_REGION, S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY.
 */
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { node, start } from './process.ts';
import { temporaryFolder } from './temporary-folder.ts';

export type S3Server = {
  endpoint: string;
  region: string;
  bucket: string;
  /** What the AWS SDK's own chain reads. */
  credentials: { AWS_ACCESS_KEY_ID: string; AWS_SECRET_ACCESS_KEY: string };
};

/** Starts s3rver with one empty bucket. */
export async function startS3rver(): Promise<S3Server> {
  const bucket = 'inventory';
  // Its cursors for long listings use a cipher that OpenSSL 3 has put away.
  const flags = ['--openssl-legacy-provider', '--disable-warning=DEP0106'];
  const program = [...flags, 'node_modules/s3rver/bin/s3rver.js'];
  const args = ['-d', await temporaryFolder(), '-a', '127.0.0.1', '-p', '0', '--configure-bucket', bucket];
  const server = start(node, [...program, ...args]);
  const [, port] = await server.waitFor(/listening on \S+?:(\d+)/);
  return {
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    bucket,
    credentials: { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER' },
  };
}

/** The server that the environment names, with a new empty bucket; null where it names none. */
export async function realS3(): Promise<S3Server | null> {
  const { S3_ENDPOINT: endpoint, S3_ACCESS_KEY_ID: id, S3_SECRET_ACCESS_KEY: secret } = process.env;
  if (!endpoint || !id || !secret) return null;
  const region = process.env.S3_REGION ?? 'us-east-1';
  const bucket = `inventory-${crypto.randomUUID()}`;
  const credentials = { accessKeyId: id, secretAccessKey: secret };
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  client.destroy();
  return {
    endpoint,
    region,
    bucket,
    credentials: { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret },
  };
}

export function hasRealS3(): boolean {
  return Boolean(process.env.S3_ENDPOINT);
}

export const realS3Needed = 'needs a real S3 server, named by S3_ENDPOINT and its credentials';

export function bucketUrl({ bucket, region, endpoint }: S3Server, prefix: string): string {
  return `s3://${bucket}/${prefix}?region=${region}&endpoint=${encodeURIComponent(endpoint)}&forcePathStyle=true`;
}
