/** open-bucket: picks the implementation that the settings ask for, and loads no other. */
import type { Bucket } from './bucket.ts';
import { openFolderBucket } from './folder-bucket.ts';
import type { S3Settings } from './s3-bucket.ts';

export type BucketSettings = { kind: 'folder'; folder: string } | ({ kind: 's3' } & S3Settings);

export async function openBucket(settings: BucketSettings): Promise<Bucket> {
  if (settings.kind === 'folder') return openFolderBucket(settings.folder);
  // The AWS SDK takes a good part of the start; whoever keeps a folder does not pay for it.
  const { openS3Bucket } = await import('./s3-bucket.ts');
  return openS3Bucket(settings);
}
