/** stores: where reports are kept, and how: `BUCKET_URL`, `INDEX_URL`, `COMMIT_LINGER`, `RETENTION`. */
import type { BucketSettings } from '../bucket/open-bucket.ts';
import type { IndexSettings } from '../index/open-index.ts';
import { parseDurationWithin } from './parse.ts';
import type { ReadSetting } from './read-setting.ts';
import { parseBucketUrl, parseIndexUrl, storeUrlDefaults } from './store-urls.ts';

export type StoreSettings = {
  bucket: BucketSettings;
  index: IndexSettings;
  /** How long reports gather after a put of several: fewer and larger segments. @default 10 */
  commitLingerMs: number;
  /** How old reports of the index may become; null keeps all of them. @default null */
  retentionMs: number | null;
};

export const storeDefaults = { ...storeUrlDefaults, COMMIT_LINGER: '10ms', RETENTION: '' } as const;

const maxLingerMs = 60 * 1000;
const minRetentionMs = 60 * 60 * 1000;
/** A hundred years: what is longer than that is a slip, and keeping everything is what an empty value does. */
const maxRetentionMs = 36_500 * 24 * 60 * 60 * 1000;

export function readStores(read: ReadSetting<keyof typeof storeDefaults>, cwd: string): StoreSettings {
  return {
    bucket: read('BUCKET_URL', (value) => parseBucketUrl(value, cwd)),
    index: read('INDEX_URL', (value) => parseIndexUrl(value, cwd)),
    commitLingerMs: read('COMMIT_LINGER', (value) => parseDurationWithin(value, 0, maxLingerMs, '10ms')),
    retentionMs: read('RETENTION', parseRetention),
  };
}

function parseRetention(value: string): number | null {
  if (value === '') return null;
  const or = 'empty, to keep everything, or ';
  return parseDurationWithin(value, minRetentionMs, maxRetentionMs, '90d', or);
}
