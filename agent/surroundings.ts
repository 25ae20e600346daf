/** surroundings: everything that comes from outside the process, what is read from it, and how to speak to it. */

import { isRecordedHost } from '../plugins/sources/node-os.ts';
import { connectionFor } from './access/connection.ts';
import { fixedToken } from './access/credentials.ts';
import { type EnrolmentMode, enrolledCredentials } from './access/enrolment.ts';
import { isGoodFor, readCredential } from './access/stored-credential.ts';
import type { CommandOptions } from './cli.ts';
import type { Overrides } from './config.ts';
import type { DaemonLog, LogSettings } from './daemon-log.ts';
import { readFingerprint } from './fingerprint.ts';
import {
  type HostIdentity,
  loadIdentity,
  readIdentity,
  recordedStateFolder,
  StateError,
} from './host-identity.ts';
import { hostNameOf } from './host-name.ts';
import type { Terminal } from './init.ts';
import type { Log } from './run.ts';
import { type Setup, setUp } from './setup.ts';
import { type Api, connect } from './submit.ts';

export type Surroundings = Omit<CommandOptions, 'stateFolder'> & {
  cwd: string;
  stateFolder: string;
  terminal: Terminal;
  overrides: Overrides;
  /** Where secrets of the config may be. */
  env: Readonly<Record<string, string | undefined>>;
  /** Where the host's file system begins. */
  root: string;
  agentVersion: string;
  /** Aborted when the agent is told to stop. */
  stop: AbortSignal;
  /** Writes text to standard output. */
  print(text: string): Promise<void>;
  /** Writes a line for people to standard error. */
  note(line: string): void;
  /** Told what a plugin threw when nobody waited for it; `use` is the plugin as the config names it. */
  onStray(use: string, error: string): void;
  /** Opens the daemon's log; only `run` has one. */
  openLog(settings: LogSettings): Promise<DaemonLog>;
  /** Has SIGHUP call this instead of ending the agent. */
  onHangup(listener: () => void): void;
};

export type Warn = (message: string, fields: Record<string, unknown>) => void;

/** @throws ConfigError with every problem; ConfigFileError when there is nothing to check */
export async function setUpToSend(at: Surroundings): Promise<Setup> {
  return setUp({ ...at, stateFolder: await stateFolderFor(at), needsUrl: true });
}

export type ConnectOptions = {
  /** Null for a host that has no id yet. */
  hostId: string | null;
  mode: EnrolmentMode;
  log: Pick<Log, 'info'>;
  /** @default 30000 */
  timeoutMs?: number;
};

/** Sends nothing yet: a host that is to be enrolled is so with its first request. */
export async function connectTo(
  at: Pick<Surroundings, 'env' | 'root' | 'stateFolder'>,
  { config, access }: Pick<Setup, 'config' | 'access'>,
  { hostId, mode, log, timeoutMs }: ConnectOptions,
): Promise<Api> {
  const url = config.url ?? '';
  const agent = connectionFor({ url, tls: access.tls, env: at.env });
  const address = { url, agent, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
  if (access.token !== null) return connect({ ...address, credentials: fixedToken(access.token) });
  const stateFolder = await stateFolderFor(at);
  const credentials = enrolledCredentials({
    ...{ mode, api: address, secret: access.enrolment, hostId, stateFolder, log },
    ...{ hostName: () => hostNameOf(at.root), now: Date.now },
  });
  return connect({ ...address, credentials });
}

/** Connects as a host does that reports, and changes nothing: a host that is not enrolled only shows its secret. */
export async function connectToTry(
  at: Surroundings,
  setup: Pick<Setup, 'config' | 'access'>,
  timeoutMs?: number,
): Promise<{ api: Api; enrolment: string | null }> {
  const stateFolder = await stateFolderFor(at);
  const hostId = (await readIdentity(stateFolder).catch(() => null))?.id ?? null;
  const log = { info: () => {} };
  const api = await connectTo(at, setup, {
    ...{ hostId, mode: 'try', log, ...(timeoutMs === undefined ? {} : { timeoutMs }) },
  });
  if (setup.access.token !== null) return { api, enrolment: null };
  const stored = await readCredential(stateFolder).catch(() => null);
  const wanted = { hostId, url: setup.config.url ?? '', now: Date.now() };
  if (stored !== null && isGoodFor(stored, wanted)) return { api, enrolment: 'this host is enrolled' };
  const todo = 'this host is not enrolled yet: "run" and "once" enrol it';
  return { api, enrolment: setup.access.enrolment === null ? null : todo };
}

export async function stateFolderFor({
  stateFolder,
  root,
}: Pick<Surroundings, 'stateFolder' | 'root'>): Promise<string> {
  return (await isRecordedHost(root)) ? recordedStateFolder(stateFolder, root) : stateFolder;
}

export async function identityFor(at: Surroundings, warn: Warn): Promise<HostIdentity> {
  const stateFolder = await stateFolderFor(at);
  return loadIdentity({ stateFolder, fingerprint: await readFingerprint(at.root, stateFolder), warn });
}

/** The identity that reports carry, whatever machine it was made on; made up where there is none. Writes nothing. */
export async function knownIdentity(at: Surroundings): Promise<HostIdentity> {
  const stateFolder = await stateFolderFor(at);
  let why = `there is no host id in ${stateFolder} yet`;
  try {
    const known = await readIdentity(stateFolder);
    if (known) return known;
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    why = error.message;
  }
  at.note(`note: ${why}; the host id below is made up for this once`);
  return { id: crypto.randomUUID(), clonedFrom: null };
}

export function noteWarnings({ note }: Surroundings, { warnings }: Setup): void {
  for (const warning of warnings) note(`warning: ${warning}`);
}

export function warnOn({ note }: Surroundings): Warn {
  return (message, fields) => note(`warning: ${message} ${JSON.stringify(fields)}`);
}
