/** store-urls: where bucket and index are, from `BUCKET_URL` and `INDEX_URL`. */
import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BucketSettings } from '../bucket/open-bucket.ts';
import type { IndexSettings } from '../index/open-index.ts';

export const storeUrlDefaults = {
  BUCKET_URL: 'file:./data/bucket',
  INDEX_URL: 'sqlite:./data/index.db',
} as const;

/** Names of options in a query string that one kind of URL takes. */
const s3Options = ['region', 'endpoint', 'forcePathStyle'];

const postgresExample = 'postgres://user:password@host:5432/inventory';

export function parseBucketUrl(value: string, cwd: string): BucketSettings {
  if (value.startsWith('file:')) return { kind: 'folder', folder: parseFile(value, 'file:', cwd) };
  const url = URL.canParse(value) ? new URL(value) : null;
  if (url?.protocol !== 's3:') {
    throw new Error(`must begin with file: or s3://, as in ${storeUrlDefaults.BUCKET_URL} or s3://my-bucket`);
  }
  if (url.username || url.password) {
    throw new Error(
      'must not hold credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use a role',
    );
  }
  if (!url.hostname) throw new Error('names no bucket: write s3://my-bucket');
  const unknown = [...url.searchParams.keys()].filter((name) => !s3Options.includes(name));
  if (unknown.length > 0) {
    throw new Error(`has unknown options ${unknown.join(', ')}: it takes ${s3Options.join(', ')}`);
  }
  const endpoint = url.searchParams.get('endpoint');
  if (endpoint && !/^https?:\/\//.test(endpoint))
    throw new Error('endpoint must begin with http:// or https://');
  const forcePathStyle = url.searchParams.get('forcePathStyle') ?? 'false';
  if (!['true', 'false'].includes(forcePathStyle)) throw new Error('forcePathStyle must be true or false');
  const region = url.searchParams.get('region');
  return {
    kind: 's3',
    bucket: url.hostname,
    prefix: decodeURIComponent(url.pathname).replace(/^\/+|\/+$/g, ''),
    ...(region ? { region } : {}),
    ...(endpoint ? { endpoint } : {}),
    forcePathStyle: forcePathStyle === 'true',
  };
}

/** No message repeats the value, which may hold a password. */
export function parseIndexUrl(value: string, cwd: string): IndexSettings {
  if (value.startsWith('sqlite:')) return { kind: 'sqlite', file: parseFile(value, 'sqlite:', cwd) };
  if (!/^postgres(ql)?:\/\//.test(value)) {
    throw new Error(
      `must begin with sqlite: or postgres://, as in ${storeUrlDefaults.INDEX_URL} or ${postgresExample}`,
    );
  }
  if (!URL.canParse(value) || !isDecodable(value)) {
    throw new Error(
      `is not a URL: write ${postgresExample}, with characters such as / @ # % of a password as %2F %40 %23 %25`,
    );
  }
  if (!/^\/[^/]+$/.test(new URL(value).pathname))
    throw new Error(`names no database: write ${postgresExample}`);
  return { kind: 'postgres', url: value };
}

function isDecodable(value: string): boolean {
  try {
    decodeURIComponent(value);
    return true;
  } catch {
    return false;
  }
}

/** `scheme:./relative`, `scheme:/absolute` and `scheme:///absolute`. */
function parseFile(value: string, scheme: string, cwd: string): string {
  const path = value.slice(scheme.length);
  if (path.startsWith('//')) {
    const url = `file:${path}`;
    if (!URL.canParse(url) || new URL(url).host !== '') {
      throw new Error(`must be ${scheme}./relative, ${scheme}/absolute or ${scheme}///absolute`);
    }
    return fileURLToPath(url);
  }
  if (path === '') throw new Error(`names no path: write ${scheme}./data`);
  return isAbsolute(path) ? path : resolve(cwd, path);
}
