/**
 * agent-status: what the daemon tells of itself in `status.json` of its state folder, for `status` and for whoever watches it.
 *
 * Written whole and then renamed, so a reader finds one state or the next. It is no record: after a power cut the next
 * report brings it again, and so nobody waits for the disk.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PluginStatus } from '../report.ts';
import type { SpoolFigures } from './spool-figures.ts';

/** Times are RFC 3339, UTC, by the host's clock; counts begin with the start of the daemon. */
export type AgentStatus = {
  /** Raised when a reader of the old form could misread the new one. */
  format: 1;
  writtenAt: string;
  agent: {
    version: string;
    pid: number;
    /** When the kernel started the process, in its own ticks: a pid may be used again. Null where it does not tell. */
    processStart: string | null;
    startedAt: string;
    /** Null while it runs. */
    stoppedAt: string | null;
    /** Path of the config file. */
    config: string | null;
    url: string | null;
    hostId: string;
    intervalSeconds: number;
  };
  /** Null before the first. */
  lastReport: { id: string; collectedAt: string; acknowledgedAt: string | null } | null;
  nextReportAt: string | null;
  delivery: {
    lastAcknowledgedAt: string | null;
    acknowledgedReports: number;
    /** That the API will never take. */
    refusedReports: number;
    /** Given up: too old or too many, damaged or refused. */
    droppedReports: number;
    failures: number;
    failuresInARow: number;
    /** Of the last failure; null once the API takes reports again. */
    error: string | null;
    retryAt: string | null;
  };
  spool: DaemonSpool;
  /** In config order. */
  plugins: PluginState[];
};

export type DaemonSpool = SpoolFigures & {
  maxBytes: number;
  /** Kept in memory, as the disk cannot be written. */
  memoryReports: number;
};

export type PluginState = {
  name: string;
  /** In the last report. */
  status: PluginStatus;
  error: string | null;
  /** When it was last asked, and what that took. */
  askedAt: string | null;
  durationMs: number | null;
  lastOkAt: string | null;
  failures: number;
  failuresInARow: number;
  /** When it is asked again: with the next report, or after its interval or its waiting time. */
  nextAt: string | null;
};

export function statusFile(stateFolder: string): string {
  return join(stateFolder, 'status.json');
}

export async function writeStatus(stateFolder: string, status: AgentStatus): Promise<void> {
  const path = statusFile(stateFolder);
  const temporary = `${path}.${process.pid}.tmp`;
  // The host id beside it may be read by all as well; the API's address is shown without its query.
  await writeFile(temporary, `${JSON.stringify(status, null, 2)}\n`, { mode: 0o644 });
  await rename(temporary, path);
}

/**
 * Null when no daemon has written one.
 *
 * @throws Error when it cannot be read, or is not of this version
 */
export async function readStatus(stateFolder: string): Promise<AgentStatus | null> {
  const text = await readFile(statusFile(stateFolder), 'utf8').catch((error) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw error;
  });
  if (text === null) return null;
  const status = JSON.parse(text) as AgentStatus;
  if (status?.format !== 1) throw new Error('it is of another version of the agent');
  return status;
}

/** Whether the process that wrote it still runs. */
export async function isRunning({ agent }: AgentStatus): Promise<boolean> {
  if (agent.stoppedAt !== null) return false;
  try {
    process.kill(agent.pid, 0);
  } catch (error) {
    // Somebody else's process is one as well.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const found = await processStat(agent.pid);
  // One that has ended and that nobody has asked about yet, as in a container without an init.
  if (found?.state === 'Z') return false;
  return found === null || agent.processStart === null || found.start === agent.processStart;
}

/** Null where the system does not tell. */
export async function processStart(pid: number): Promise<string | null> {
  return (await processStat(pid))?.start ?? null;
}

/** Fields 3 and 22 of proc_pid_stat(5). */
async function processStat(pid: number): Promise<{ state: string; start: string } | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  const fields = stat?.split(') ').at(-1)?.split(' ');
  const [state, start] = [fields?.[0], fields?.[19]];
  return state === undefined || start === undefined ? null : { state, start };
}
