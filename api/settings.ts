/**
 * settings: reads the API's environment variables into plain data, with every problem at once.
 *
 * Pure: `main.ts` hands the environment in. docs and README list the same names.
 */
import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatDuration, parseDuration } from '../plugins/duration.ts';
import { messageOf } from '../plugins/message-of.ts';
import type { BucketSettings } from './bucket/open-bucket.ts';
import type { IndexSettings } from './index/open-index.ts';

export type ApiSettings = {
  /** @default 127.0.0.1: reachable from this machine only */
  host: string;
  /** 0 takes any free port. @default 4000 */
  port: number;
  bucket: BucketSettings;
  index: IndexSettings;
  /** How long reports gather after a put of several: fewer and larger segments. @default 10 */
  commitLingerMs: number;
  /** How old reports of the index may become; null keeps all of them. @default null */
  retentionMs: number | null;
  /** How long the index may work for one request. @default 30 s */
  queryTimeoutMs: number;
  /** Plugins beside the built-in ones: files, relative to the working folder, or packages. */
  plugins: string[];
};

export const settingDefaults = {
  HOST: '127.0.0.1',
  PORT: '4000',
  BUCKET_URL: 'file:./data/bucket',
  INDEX_URL: 'sqlite:./data/index.db',
  COMMIT_LINGER: '10ms',
  RETENTION: '',
  QUERY_TIMEOUT: '30s',
  PLUGINS: '',
} as const;

type Name = keyof typeof settingDefaults;

/** A setting that cannot be used; `setting` is the variable's name. */
export type SettingProblem = { setting: Name; message: string };

/** Names of options in a query string that one kind of URL takes. */
const s3Options = ['region', 'endpoint', 'forcePathStyle'];

const postgresExample = 'postgres://user:password@host:5432/inventory';

const maxLingerMs = 60 * 1000;
const minQueryTimeoutMs = 100;
const maxQueryTimeoutMs = 60 * 60 * 1000;
const minRetentionMs = 60 * 60 * 1000;
/** A hundred years: what is longer than that is a slip, and keeping everything is what an empty value does. */
const maxRetentionMs = 36_500 * 24 * 60 * 60 * 1000;

/**
 * @param cwd what relative files are relative to
 * @returns the settings, or what is wrong with them; never both
 */
export function readSettings(
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): { settings: ApiSettings } | { problems: SettingProblem[] } {
  const problems: SettingProblem[] = [];

  function read<T>(setting: Name, parse: (value: string) => T): T | undefined {
    try {
      // An empty variable is how compose files and unit files spell "not set".
      return parse(env[setting]?.trim() || settingDefaults[setting]);
    } catch (cause) {
      problems.push({ setting, message: messageOf(cause) });
      return undefined;
    }
  }

  const host = read('HOST', (value) => value);
  const port = read('PORT', parsePort);
  const bucket = read('BUCKET_URL', (value) => parseBucketUrl(value, cwd));
  const index = read('INDEX_URL', (value) => parseIndexUrl(value, cwd));
  const commitLingerMs = read('COMMIT_LINGER', (value) => parseLength(value, 0, maxLingerMs, '10ms'));
  const retentionMs = read('RETENTION', parseRetention);
  const queryTimeoutMs = read('QUERY_TIMEOUT', (value) =>
    parseLength(value, minQueryTimeoutMs, maxQueryTimeoutMs, '30s'),
  );
  const plugins = read('PLUGINS', parsePlugins);
  if (host === undefined || port === undefined || !bucket || !index || !plugins) return { problems };
  if (commitLingerMs === undefined || retentionMs === undefined || queryTimeoutMs === undefined) {
    return { problems };
  }
  return { settings: { host, port, bucket, index, commitLingerMs, retentionMs, queryTimeoutMs, plugins } };
}

function parsePort(value: string): number {
  const port = Number(value);
  if (!/^\d+$/.test(value) || port > 65_535) {
    throw new Error(`must be a whole number from 0 to 65535, but is ${JSON.stringify(value)}`);
  }
  return port;
}

function parseBucketUrl(value: string, cwd: string): BucketSettings {
  if (value.startsWith('file:')) return { kind: 'folder', folder: parseFile(value, 'file:', cwd) };
  const url = URL.canParse(value) ? new URL(value) : null;
  if (url?.protocol !== 's3:') {
    throw new Error(`must begin with file: or s3://, as in ${settingDefaults.BUCKET_URL} or s3://my-bucket`);
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
function parseIndexUrl(value: string, cwd: string): IndexSettings {
  if (value.startsWith('sqlite:')) return { kind: 'sqlite', file: parseFile(value, 'sqlite:', cwd) };
  if (!/^postgres(ql)?:\/\//.test(value)) {
    throw new Error(
      `must begin with sqlite: or postgres://, as in ${settingDefaults.INDEX_URL} or ${postgresExample}`,
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

function parseRetention(value: string): number | null {
  if (value === '') return null;
  return parseLength(value, minRetentionMs, maxRetentionMs, '90d', 'empty, to keep everything, or ');
}

function parseLength(value: string, least: number, most: number, example: string, or = ''): number {
  const ms = parseDuration(value);
  if (ms === null || ms < least || ms > most) {
    const bounds = `from ${formatDuration(least)} to ${formatDuration(most)}`;
    throw new Error(
      `must be ${or}a length of time ${bounds}, as in ${example}, but is ${JSON.stringify(value)}`,
    );
  }
  return ms;
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

function parsePlugins(value: string): string[] {
  return value
    .split(',')
    .map((use) => use.trim())
    .filter((use) => use !== '');
}
