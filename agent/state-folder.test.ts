import { expect, test } from 'vitest';
import { chooseStateFolder } from './state-folder.ts';

const user = { home: '/home/ada', isRoot: false };

test.each([
  [{ ...user, option: '/s', systemd: '/d' }, '/s'],
  [{ ...user, systemd: '/var/lib/a:/var/lib/b', xdg: '/x' }, '/var/lib/a'],
  [{ home: '/root', isRoot: true, xdg: '/x' }, '/var/lib/os-inspector'],
  [{ ...user, xdg: '/x' }, '/x/os-inspector'],
  [{ ...user, systemd: '', xdg: '' }, '/home/ada/.local/state/os-inspector'],
  [{ ...user, xdg: 'x' }, '/home/ada/.local/state/os-inspector'],
])('%j gives %s', (hints, folder) => {
  expect(chooseStateFolder(hints)).toBe(folder);
});
