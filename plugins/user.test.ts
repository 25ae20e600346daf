import { expect, test } from 'vitest';
import { seededRandom } from '../test/support/noise.ts';
import { collectChecked, collectContext, hostRoot } from '../test/support/recorded-hosts.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import { liveNodeOs } from './sources/node-os.ts';
import { groupName, mayLogIn, parsePasswd } from './sources/passwd.ts';
import { isSystemdSessionName, parseSystemdSession } from './sources/systemd-session.ts';
import { toPortableUser } from './sources/user.portable.ts';
import { parseUtmp, remoteHost } from './sources/utmp.ts';
import user from './user.ts';

const isLinux = process.platform === 'linux';

test('this host: the account agrees with node:os', async () => {
  const values = await collectChecked(user, collectContext('/'));
  const account = liveNodeOs.account();
  expect(values).toMatchObject({ name: account?.username ?? null, home: account?.homedir ?? null });
  if (isLinux) expect(values).toMatchObject({ uid: process.geteuid?.(), gid: account?.gid ?? null });
});

test.runIf(isLinux)('no password hash gets out, not even one in /etc/passwd', async () => {
  const values = await collectChecked(user, collectContext(hostRoot('odd-texts')));
  expect(JSON.stringify(values)).toContain('Joe Bloggs');
  expect(JSON.stringify(values)).not.toContain('$6$');
});

test.each([
  ['/bin/bash', true],
  ['', true],
  ['/usr/bin/git-shell', true],
  ['/usr/sbin/nologin', false],
  ['/sbin/nologin', false],
  ['/run/current-system/sw/bin/nologin', false],
  ['/bin/false', false],
  ['/dev/null', false],
  ['/bin/sync', false],
  ['/sbin/shutdown', false],
  ['/sbin/halt', false],
])('shell %j may log in: %j', (shell, expected) => {
  const [account] = parsePasswd(`a:x:1:1::/:${shell}`);
  expect(account && mayLogIn(account)).toBe(expected);
});

test('an empty shell field stands for /bin/sh, an empty home for none', () => {
  expect(parsePasswd('a:x:5:6:A B,room::')).toEqual([
    { name: 'a', uid: 5, gid: 6, fullName: 'A B', home: null, shell: '/bin/sh' },
  ]);
});

test.each(['+', '+nis::::::', '-no:x:1:1:::', '# x:x:1:1:::', 'a:x:1:1::', 'a:x:-1:1:::', 'a:x:1:1:::/b:c'])(
  'no account: %j',
  (line) => {
    expect(parsePasswd(line)).toEqual([]);
  },
);

test('a group has its name by its id', () => {
  const group = 'root:x:0:\nadm:x:4:alice\n';
  expect(groupName(group, 4)).toBe('adm');
  expect(groupName(group, 5)).toBeNull();
});

/** One utmp record as glibc writes it on x86-64. */
function utmpRecord(type: number, name: string, line: string, host: string, seconds: number): Uint8Array {
  const record = Buffer.alloc(384);
  record.writeInt16LE(type, 0);
  record.write(line, 8);
  record.write(name, 44);
  record.write(host, 76);
  record.writeInt32LE(seconds, 340);
  return record;
}

const pc = { machine: 'x86_64', endianness: 'LE' } as const;

test('utmp has sessions among other records', () => {
  const bytes = Buffer.concat([
    utmpRecord(2, 'reboot', '~', '6.1.0', 1_700_000_000),
    utmpRecord(7, 'alice', 'pts/0', '192.0.2.1', 1_700_000_100),
    utmpRecord(8, 'bob', 'pts/1', '', 1_700_000_200),
  ]);
  expect(parseUtmp(bytes, pc)).toEqual([
    { user: 'alice', line: 'pts/0', host: '192.0.2.1', startedAt: '2023-11-14T22:15:00.000Z' },
  ]);
});

test('a field of utmp that is full has no NUL at its end', () => {
  const name = 'a'.repeat(32);
  expect(parseUtmp(utmpRecord(7, name, 'tty1', '', 1), pc)[0]?.user).toBe(name);
});

test('a torn utmp record is left out', () => {
  const whole = utmpRecord(7, 'alice', 'pts/0', '', 1);
  expect(parseUtmp(Buffer.concat([whole, whole.subarray(0, 200)]), pc)).toHaveLength(1);
});

test('a 32-bit system on a 64-bit ARM kernel has the narrow records', () => {
  const bytes = utmpRecord(7, 'pi', 'tty1', '', 1_700_000_000);
  expect(parseUtmp(bytes, { machine: 'aarch64', endianness: 'LE' })).toEqual([
    { user: 'pi', line: 'tty1', host: null, startedAt: '2023-11-14T22:13:20.000Z' },
  ]);
});

test('utmp of noise never throws', () => {
  const random = seededRandom(7);
  for (let round = 0; round < 300; round++) {
    const bytes = Uint8Array.from({ length: Math.floor(random() * 2000) }, () => Math.floor(random() * 256));
    for (let at = 0; at + 1 < bytes.length; at += 384) bytes.set([7, 0], at);
    for (const machine of ['x86_64', 'aarch64', null]) {
      expect(() => parseUtmp(bytes, { machine, endianness: random() < 0.5 ? 'BE' : 'LE' })).not.toThrow();
    }
  }
});

test.each([
  ['192.0.2.1', 'pts/0', '192.0.2.1'],
  ['fe80::1%eth0', 'pts/0', 'fe80::1%eth0'],
  ['::1', 'pts/0', '::1'],
  ['büro.example.org', 'pts/0', 'büro.example.org'],
  [':0', 'tty7', null],
  [':1.0', 'tty7', null],
  ['tty2', 'tty2', null],
  ['login screen', 'seat0', null],
  ['tmux(812).%0', 'pts/3', null],
  [null, 'tty1', null],
])('session from %j on %s: %j', (host, line, expected) => {
  expect(remoteHost(host, line)).toBe(expected);
});

test('sessions of logind that are no one’s, or over, are left out', () => {
  const file = (state: string, kind: string) => `USER=carol\nSTATE=${state}\nCLASS=${kind}\nTTY=tty2\n`;
  expect(parseSystemdSession(file('active', 'user'))).toEqual({
    user: 'carol',
    line: 'tty2',
    host: null,
    startedAt: null,
  });
  expect(parseSystemdSession(file('active', 'user-early'))).not.toBeNull();
  expect(parseSystemdSession(file('closing', 'user'))).toBeNull();
  expect(parseSystemdSession(file('active', 'greeter'))).toBeNull();
  expect(parseSystemdSession(file('active', 'manager'))).toBeNull();
  expect(parseSystemdSession('')).toBeNull();
});

test('the FIFOs beside session files are not opened', () => {
  expect(['2', 'c1', '2.ref', '.#2abc', ''].filter(isSystemdSessionName)).toEqual(['2', 'c1']);
});

test.runIf(isLinux)('an empty utmp gives way to logind', async () => {
  const root = await temporaryFolder({
    'node-os.json': '{}',
    'run/utmp': '',
    'run/systemd/sessions/1': 'USER=eve\nSTATE=active\nCLASS=user\nREALTIME=1700000000000000\n',
  });
  expect(await collectChecked(user, collectContext(root))).toMatchObject({
    sessionCount: 1,
    sessions: [{ user: 'eve', line: null, host: null, startedAt: '2023-11-14T22:13:20.000Z' }],
  });
});

test('Windows has no ids', () => {
  const account = { username: 'eve', uid: -1, gid: -1, homedir: 'C:\\Users\\eve', shell: null };
  const users = [
    { user: 'eve', tty: 'console', date: '2024-05-01', time: '08:30', ip: '', command: '' },
    { user: 'bob', tty: '', date: '', time: '', ip: '192.0.2.7', command: '' },
  ];
  const values = toPortableUser({ account, users });
  expect(values).toMatchObject({ name: 'eve', uid: null, gid: null, shell: null, sessionCount: 2 });
  expect(values.sessions[0]?.startedAt).toBe(new Date('2024-05-01T08:30').toISOString());
  expect(values.sessions[1]).toEqual({ user: 'bob', line: null, host: '192.0.2.7', startedAt: null });
});
