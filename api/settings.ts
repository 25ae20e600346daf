/**
 * settings: reads the API's environment variables into plain data, with every problem at once.
 *
 * Pure: `main.ts` hands the environment in. docs and README list the same names.
 */
import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../plugins/message-of.ts';
import type { BucketSettings } from './bucket/open-bucket.ts';

export type ApiSettings = {
  /** @default 127.0.0.1: reachable from this machine only */
  host: string;
  /** 0 takes any free port. @default 4000 */
  port: number;
  bucket: BucketSettings;
  /** File of the SQLite index. */
  indexFile: string;
  /** Plugins beside the built-in ones: files, relative to the working folder, or packages. */
  plugins: string[];
};

export const settingDefaults = {
  HOST: '127.0.0.1',
  PORT: '4000',
  BUCKET_URL: 'file:./data/bucket',
  INDEX_URL: 'sqlite:./data/index.db',
  PLUGINS: '',
} as const;

type Name = keyof typeof settingDefaults;

/** A setting that cannot be used; `setting` is the variable's name. */
export type SettingProblem = { setting: Name; message: string };

/** Names of options in a query string that one kind of URL takes. */
const s3Options = ['region', 'endpoint', 'forcePathStyle'];

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
  const indexFile = read('INDEX_URL', (value) => parseIndexUrl(value, cwd));
  const plugins = read('PLUGINS', parsePlugins);
  if (host === undefined || port === undefined || !bucket || !indexFile || !plugins) return { problems };
  return { settings: { host, port, bucket, indexFile, plugins } };
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

function parseIndexUrl(value: string, cwd: string): string {
  if (value.startsWith('sqlite:')) return parseFile(value, 'sqlite:', cwd);
  throw new Error(`must begin with sqlite:, as in ${settingDefaults.INDEX_URL}`);
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
