/** surroundings: everything that comes from outside the process, what is read from it, and how to speak to it. */
import { isRecordedHost } from '../plugins/sources/node-os.ts';
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
import type { Terminal } from './init.ts';
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
export async function setUpToSend(at: Surroundings): Promise<{ setup: Setup; api: Api }> {
  const setup = await setUp({ ...at, needsUrl: true });
  return { setup, api: connectTo(setup) };
}

export function connectTo({ config, token }: Setup): Api {
  return connect({ url: config.url ?? '', token });
}

export async function stateFolderFor({ stateFolder, root }: Surroundings): Promise<string> {
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
