/**
 * user: the account the agent runs as, the accounts that may log in, and who is logged in now.
 *
 * Source: /etc/passwd, /etc/group, and utmp or systemd's session files on Linux; node:os and
 * systeminformation elsewhere. Never reads a password hash. Starts no process on Linux.
 */
import { count, definePlugin, instant, list, text } from './plugin.ts';
import { collectUserOnLinux } from './sources/user.linux.ts';
import { collectUserElsewhere } from './sources/user.portable.ts';

export default definePlugin({
  name: 'user',
  version: 1,
  description: 'The account the agent runs as, local accounts and sessions',
  facts: {
    name: text('Account the agent runs as; null when its user id has none'),
    uid: count('User id the agent runs under; null on Windows'),
    gid: count('Primary group id of that account; null on Windows'),
    primaryGroup: text('Name of that group; null when it is not a local one'),
    home: text('Home folder of that account'),
    shell: text('Login shell of that account; null on Windows'),
    accounts: list(
      'Local accounts whose shell lets them log in, by user id; null where they cannot be read',
      {
        name: text('Login name', { nullable: false }),
        uid: count('User id', { nullable: false }),
        gid: count('Primary group id', { nullable: false }),
        fullName: text('First part of the GECOS field; null when it is empty'),
        home: text('Home folder; null when it is empty'),
        shell: text('Login shell', { nullable: false }),
      },
      { key: 'name' },
    ),
  },
  readings: {
    sessions: list('Sessions of people logged in now, the oldest first; null where they are not recorded', {
      user: text('Login name', { nullable: false }),
      line: text('Terminal or display; null for a session without one'),
      host: text('Where it came from over the network; null for a local session'),
      startedAt: instant('When it began'),
    }),
    sessionCount: count('Number of these sessions'),
  },
  source:
    '/etc/passwd, /etc/group, /run/utmp, /run/systemd/sessions; node:os and systeminformation elsewhere',
  async collect(context) {
    return process.platform === 'linux' ? collectUserOnLinux(context) : collectUserElsewhere(context);
  },
});
