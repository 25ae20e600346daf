/**
 * user.portable: the agent's account and the sessions on macOS, Windows and the BSDs.
 *
 * Accounts come from a directory service there and are not asked for. Sessions change, so
 * systeminformation is asked each time.
 */
import type { Systeminformation } from 'systeminformation';
import type { CollectContext } from '../plugin.ts';
import { liveNodeOs, type NodeAccount } from './node-os.ts';

export type RawPortableUser = { account: NodeAccount | null; users: Systeminformation.UserData[] };

export async function collectUserElsewhere({ signal }: CollectContext) {
  signal.throwIfAborted();
  const { users } = await import('systeminformation');
  return toPortableUser({ account: liveNodeOs.account(), users: await users() });
}

/** Shapes raw answers into facts; Windows has -1 for ids, which means none. */
export function toPortableUser({ account, users }: RawPortableUser) {
  const sessions = users
    .filter(({ user }) => user)
    .map(({ user, tty, ip, date, time }) => ({
      user,
      line: tty || null,
      host: ip || null,
      startedAt: toInstant(`${date}T${time}`),
    }));
  return {
    name: account?.username || null,
    uid: idOrNull(account?.uid),
    gid: idOrNull(account?.gid),
    primaryGroup: null,
    home: account?.homedir || null,
    shell: account?.shell || null,
    accounts: null,
    sessions,
    sessionCount: sessions.length,
  };
}

function idOrNull(id: number | undefined): number | null {
  return id === undefined || id < 0 ? null : id;
}

/** Local time without a zone, as `w` and `query user` print it. */
function toInstant(local: string): string | null {
  const date = new Date(local);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
