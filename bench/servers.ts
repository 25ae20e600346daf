/** servers: starts what is measured, each as a process of its own with stores of its own. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bucket } from '../api/bucket/bucket.ts';
import { openBucket } from '../api/bucket/open-bucket.ts';
import { readSettings } from '../api/settings.ts';
import { startApi } from '../test/support/api-process.ts';
import { hasPostgres, postgresNeeded, startPostgres } from '../test/support/postgres.ts';
import { node, start } from '../test/support/process.ts';
import { bucketUrl, realS3, type S3Server, startS3rver } from '../test/support/s3-servers.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';

export type BenchServer = { url: string; pid: number };

/** A file of bench/servers, which says where it listens. */
export async function startServer(name: string, env: Record<string, string> = {}): Promise<BenchServer> {
  const { child, waitFor } = start(node, [join(import.meta.dirname, 'servers', `${name}.ts`)], { env });
  const [, url = ''] = await waitFor(/"url":"([^"]+)".*"msg":"listening"/);
  return { url, pid: child.pid ?? 0 };
}

/** What an API can do at most is measured, not what it lets anyone do. */
const unlimited = { OPERATION_LIMIT: 'off', REPORT_LIMIT: 'off', ADDRESS_LIMIT: 'off', MAX_IN_FLIGHT: 'off' };

/** @param env settings of its bucket and of its index, which is a new file if they name none */
export async function startBenchApi(env: Record<string, string>): Promise<BenchServer> {
  const { url, child } = await startApi(await temporaryFolder(), { env: { ...unlimited, ...env } });
  return { url, pid: child.pid ?? 0 };
}

export type Store = {
  name: string;
  /** Settings of a new and empty bucket. */
  env(): Promise<Record<string, string>>;
};

export const folderStore: Store = {
  name: 'folder',
  env: async () => ({ BUCKET_URL: `file:${await temporaryFolder()}` }),
};

/** The real S3 server that the environment names, or s3rver. */
export async function startS3Store(): Promise<Store> {
  const real = await realS3();
  const server: S3Server = real ?? (await startS3rver());
  // For this process as well as for those that it starts.
  Object.assign(process.env, server.credentials);
  let buckets = 0;
  return {
    name: real ? 'S3' : 's3rver',
    async env() {
      buckets += 1;
      return { BUCKET_URL: bucketUrl(server, `bench-${buckets}`) };
    },
  };
}

/** The bucket that an API with these settings would have. */
export async function openStore(env: Record<string, string>): Promise<Bucket> {
  const read = readSettings(env, process.cwd());
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  return openBucket(read.settings.bucket);
}

export type Dialect = 'SQLite' | 'PostgreSQL';

/** Settings of a new index: a file, or a database of a new server. */
export async function newIndexEnv(dialect: Dialect): Promise<{ INDEX_URL: string }> {
  if (dialect === 'SQLite') return { INDEX_URL: `sqlite:${join(await temporaryFolder(), 'index.db')}` };
  const server = await startPostgres();
  return { INDEX_URL: await server.createDatabase() };
}

/** SQLite, and PostgreSQL where it is asked for and can be had. */
export function dialectsFor(postgres: boolean): Dialect[] {
  if (postgres && !hasPostgres()) console.log(`PostgreSQL is left out: ${postgresNeeded}`);
  return postgres && hasPostgres() ? ['SQLite', 'PostgreSQL'] : ['SQLite'];
}

/** Resident memory of a process now and at most, in MiB; null where the system does not tell. */
export async function memoryOf(pid: number): Promise<{ now: number; peak: number } | null> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const [, now] = /^VmRSS:\s+(\d+) kB/m.exec(status) ?? [];
  const [, peak] = /^VmHWM:\s+(\d+) kB/m.exec(status) ?? [];
  return now && peak ? { now: Number(now) / 1024, peak: Number(peak) / 1024 } : null;
}

/** CPU that a process has used; NaN where the system does not tell. */
export async function cpuSecondsOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name in parentheses may hold blanks; utime and stime are fields 14 and 15 of proc_pid_stat(5), in hundredths.
  const fields = text.split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
