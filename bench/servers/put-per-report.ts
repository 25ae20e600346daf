/** put-per-report: the same mutation, durable in the simplest way: one object a report, in the bucket of BUCKET_URL. */

import { openBucket } from '../../api/bucket/open-bucket.ts';
import { segmentFolder } from '../../api/log/segment-key.ts';
import { readSettings } from '../../api/settings.ts';
import { serveMutation } from './mutation-server.ts';

const read = readSettings(process.env, process.cwd());
if ('problems' in read) throw new Error(JSON.stringify(read.problems));
const bucket = await openBucket(read.settings.bucket);

serveMutation(async (input) => {
  const receivedAt = new Date().toISOString();
  const body = Buffer.from(JSON.stringify({ ...input, receivedAt }));
  await bucket.put(`${segmentFolder(receivedAt)}${input.id}.json`, body);
});
