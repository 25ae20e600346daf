/**
 * user.linux: accounts from /etc/passwd, sessions from utmp or from systemd-logind.
 */

import type { CollectContext } from '../plugin.ts';
import { type LinuxFiles, linuxFiles } from './linux-files.ts';
import { type NodeAccount, nodeOs } from './node-os.ts';
import { groupName, mayLogIn, parsePasswd } from './passwd.ts';
import { isSystemdSessionName, parseSystemdSession } from './systemd-session.ts';
import { type Machine, parseUtmp, type Session } from './utmp.ts';

export type RawUser = {
  uid: number | null;
  /** Asked only when /etc/passwd does not have the user id: a directory may know it. */
  account: NodeAccount | null;
  passwd: string | null;
  group: string | null;
  utmp: Uint8Array | null;
  /** Texts of systemd's session files; null where it keeps none. */
  systemdSessions: string[] | null;
  machine: Machine;
};

export async function collectUserOnLinux(context: CollectContext) {
  return toUser(await gatherUser(context));
}

async function gatherUser({ root, signal }: CollectContext): Promise<RawUser> {
  const files = linuxFiles(root, signal);
  const [node, passwd, group, utmp, arch, systemdSessions] = await Promise.all([
    nodeOs(root),
    files.read('/etc/passwd'),
    files.read('/etc/group'),
    files.readBytes('/run/utmp'),
    files.read('/proc/sys/kernel/arch'),
    readSystemdSessions(files),
  ]);
  const uid = node.uid();
  const isLocal = parsePasswd(passwd ?? '').some((account) => account.uid === uid);
  return {
    uid,
    account: isLocal ? null : node.account(),
    passwd,
    group,
    utmp,
    systemdSessions,
    machine: { machine: arch || node.machine(), endianness: node.endianness() },
  };
}

async function readSystemdSessions(files: LinuxFiles): Promise<string[] | null> {
  const folder = '/run/systemd/sessions';
  const names = await files.list(folder);
  if (names === null) return null;
  const texts = await Promise.all(
    names.filter(isSystemdSessionName).map((name) => files.read(`${folder}/${name}`)),
  );
  return texts.filter((text) => text !== null);
}

/** Shapes raw texts into facts; pure. */
export function toUser(raw: RawUser) {
  const accounts = raw.passwd === null ? null : parsePasswd(raw.passwd);
  // Of several names for one user id the first is the one the system shows.
  const own = accounts?.find(({ uid }) => uid === raw.uid) ?? fromNode(raw.account);
  const sessions = toSessions(raw);
  return {
    name: own?.name ?? null,
    uid: raw.uid,
    gid: own?.gid ?? null,
    primaryGroup: own && raw.group !== null ? groupName(raw.group, own.gid) : null,
    home: own?.home ?? null,
    shell: own?.shell ?? null,
    accounts: accounts?.filter(mayLogIn).sort((a, b) => a.uid - b.uid || compare(a.name, b.name)) ?? null,
    sessions,
    sessionCount: sessions?.length ?? null,
  };
}

/**
 * utmp where it is in use, since it also has the sessions that logind was never told of. Where it is
 * not, an empty file may be left over; in use it holds the boot itself at least.
 */
function toSessions({ utmp, systemdSessions, machine }: RawUser): Session[] | null {
  const sessions =
    utmp && (utmp.length > 0 || systemdSessions === null)
      ? parseUtmp(utmp, machine)
      : (systemdSessions?.map(parseSystemdSession).filter((session) => session !== null) ?? null);
  return (
    sessions?.sort(
      (a, b) => compare(a.startedAt ?? '', b.startedAt ?? '') || compare(a.line ?? '', b.line ?? ''),
    ) ?? null
  );
}

function fromNode(account: NodeAccount | null) {
  return (
    account && {
      name: account.username || null,
      gid: account.gid,
      home: account.homedir || null,
      shell: account.shell || null,
    }
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
