/**
 * passwd: reads /etc/passwd and /etc/group. Password fields are skipped over, never returned.
 */

export type Account = {
  name: string;
  uid: number;
  gid: number;
  fullName: string | null;
  home: string | null;
  shell: string;
};

/** passwd(5): what an empty shell field stands for. */
const defaultShell = '/bin/sh';

/** Programs that end at once or stop the machine, wherever they lie: their accounts cannot log in. */
const noLoginShells = new Set(['nologin', 'false', 'true', 'null', 'sync', 'halt', 'shutdown']);

/**
 * Accounts in the file's order. Lines that are not an account are left out: comments, damaged ones, and
 * those with `+` or `-` that ask a directory for more.
 */
export function parsePasswd(passwd: string): Account[] {
  return passwd.split(/\r?\n/).flatMap((line) => {
    const [name = '', , uid = '', gid = '', gecos = '', home, shell, ...more] = line.split(':');
    const isAccount = /^[^\s#+-]/.test(name) && isId(uid) && isId(gid);
    if (!isAccount || shell === undefined || more.length > 0) return [];
    return {
      name,
      uid: Number(uid),
      gid: Number(gid),
      fullName: fullNameOf(gecos, name),
      home: home || null,
      shell: shell || defaultShell,
    };
  });
}

/**
 * Whether an account may log in, by its shell alone: any but one that is there to refuse. A locked
 * password does not count, since it is no bar to a key, and only /etc/shadow tells of it.
 */
export function mayLogIn({ shell }: Account): boolean {
  return !noLoginShells.has(shell.slice(shell.lastIndexOf('/') + 1));
}

/** The group's name; null when the file does not have it. */
export function groupName(group: string, gid: number): string | null {
  for (const line of group.split(/\r?\n/)) {
    const [name, , id] = line.split(':');
    if (name && id === String(gid)) return name;
  }
  return null;
}

/** GECOS holds name, office and telephones, parted by commas; `&` is the login name with a capital. */
function fullNameOf(gecos: string, name: string): string | null {
  const first = gecos.split(',')[0]?.trim() ?? '';
  return first.replaceAll('&', name.charAt(0).toUpperCase() + name.slice(1)) || null;
}

function isId(digits: string): boolean {
  return /^\d{1,10}$/.test(digits);
}
