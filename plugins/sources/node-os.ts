/**
 * node-os: what `node:os` says about the host, behind one seam.
 *
 * A recorded host (a root folder with a `node-os.json`) answers with what was recorded there, so that
 * nothing of the machine that replays it shows through. Any other root is asked live: a host's file
 * system mounted into a container has the same kernel, and files come before these answers anyway.
 * Each answer is fetched when it is asked for, since some are dear (`userInfo` may go to a directory).
 */
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import { join } from 'node:path';

export type NodeAccount = {
  username: string;
  uid: number;
  gid: number;
  homedir: string;
  shell: string | null;
};

/** Null throughout means that the system does not tell. */
export type NodeOs = {
  /** As `uname -m` has it: `x86_64`, `aarch64`. */
  machine(): string | null;
  /** Byte order of binary and hexadecimal kernel tables. */
  endianness(): 'BE' | 'LE';
  hostname(): string | null;
  release(): string | null;
  /** Effective user id of this process; null on Windows. */
  uid(): number | null;
  /** Null when the user id has no account, as in containers that run under an arbitrary one. */
  account(): NodeAccount | null;
  /** IANA name, from the environment and the system. */
  timezone(): string | null;
  /** Addresses by interface; only of interfaces that are up. */
  networkInterfaces(): NodeJS.Dict<os.NetworkInterfaceInfo[]>;
};

/** The form of `node-os.json`: names and values as `node:os` has them. */
export type RecordedNodeOs = {
  machine?: string;
  endianness?: 'BE' | 'LE';
  hostname?: string;
  release?: string;
  userInfo?: NodeAccount;
  timezone?: string;
  networkInterfaces?: NodeJS.Dict<os.NetworkInterfaceInfo[]>;
  /** Answers of `fs.statfs` by mount point. */
  statfs?: NodeJS.Dict<
    Record<'bsize' | 'frsize' | 'blocks' | 'bfree' | 'bavail' | 'files' | 'ffree', number>
  >;
};

export async function nodeOs(root: string): Promise<NodeOs> {
  const recorded = await readRecordedNodeOs(root);
  return recorded === null ? liveNodeOs : recordedNodeOs(recorded);
}

/** Null when that root is no recorded host. */
export async function readRecordedNodeOs(root: string): Promise<RecordedNodeOs | null> {
  const recorded = await readRecorded(root);
  return recorded === null ? null : JSON.parse(recorded);
}

/** Whether that root is a recorded host, and so no machine at all. */
export async function isRecordedHost(root: string): Promise<boolean> {
  return (await readRecorded(root)) !== null;
}

async function readRecorded(root: string): Promise<string | null> {
  return root === '/' ? null : readFile(join(root, 'node-os.json'), 'utf8').catch(() => null);
}

export const liveNodeOs: NodeOs = {
  machine: () => os.machine() || null,
  endianness: () => os.endianness(),
  hostname: () => os.hostname() || null,
  release: () => os.release() || null,
  uid: () => process.geteuid?.() ?? null,
  account() {
    try {
      return os.userInfo();
    } catch {
      return null;
    }
  },
  timezone: () => Intl.DateTimeFormat().resolvedOptions().timeZone || null,
  networkInterfaces() {
    try {
      return os.networkInterfaces();
    } catch {
      return {}; // sandboxes that refuse netlink sockets
    }
  },
};

export function recordedNodeOs(recorded: RecordedNodeOs): NodeOs {
  return {
    machine: () => recorded.machine ?? null,
    endianness: () => recorded.endianness ?? 'LE',
    hostname: () => recorded.hostname ?? null,
    release: () => recorded.release ?? null,
    uid: () => recorded.userInfo?.uid ?? null,
    account: () => recorded.userInfo ?? null,
    timezone: () => recorded.timezone ?? null,
    networkInterfaces: () => recorded.networkInterfaces ?? {},
  };
}
