/** frozen-postgres: stops every process of a PostgreSQL server where it is: connections stay open, and nothing answers. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runSql } from './postgres.ts';

/** Only there do other processes tell their children. */
export function canFreezePostgres(): boolean {
  return process.platform === 'linux';
}

/** @returns what lets it go on */
export async function freezePostgres(url: string): Promise<() => void> {
  const [row] = await runSql(url, 'show data_directory');
  const file = await readFile(join(String(row?.data_directory), 'postmaster.pid'), 'utf8');
  const server = Number.parseInt(file, 10);
  // First, so that it starts no other.
  process.kill(server, 'SIGSTOP');
  const children = await readFile(`/proc/${server}/task/${server}/children`, 'utf8');
  const all = [server, ...children.split(' ').filter(Boolean).map(Number)];
  for (const pid of all) signalIfThere(pid, 'SIGSTOP');
  return () => {
    for (const pid of all) signalIfThere(pid, 'SIGCONT');
  };
}

function signalIfThere(pid: number, signal: 'SIGSTOP' | 'SIGCONT'): void {
  try {
    process.kill(pid, signal);
  } catch {
    // The one that answered where the data is may have ended meanwhile.
  }
}
