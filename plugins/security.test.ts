import { expect, test } from 'vitest';
import { collectContext, collectIfAny } from '../test/support/recorded-hosts.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import security from './security.ts';
import { countProfiles, parseSecureBoot } from './sources/security.linux.ts';

const collect = async (files: Record<string, string>) =>
  collectIfAny(security, collectContext(await temporaryFolder(files)));

test('a host that tells nothing has nothing to report', async () => {
  expect(await collect({ 'etc/hostname': 'web1' })).toBeNull();
});

test.each([
  [{ 'sys/fs/selinux/enforce': '1' }, 'enforcing'],
  [{ 'sys/fs/selinux/enforce': '0', 'etc/selinux/config': 'SELINUX=enforcing' }, 'permissive'],
  [{ 'etc/selinux/config': '# off\nSELINUX=disabled\nSELINUXTYPE=targeted\n' }, 'disabled'],
  [{ 'proc/sys/crypto/fips_enabled': '0' }, null],
])('SELinux: %o is %s', async (files, mode) => {
  expect((await collect(files as Record<string, string>))?.selinux).toBe(mode);
});

test('a profile whose name has parentheses counts by its mode', () => {
  const profiles = ['/opt/My App (beta)/run (enforce)', 'a//b (complain)', 'c (unconfined)', 'torn (enf', ''];
  expect(countProfiles(profiles.join('\n'))).toEqual({ enforce: 1, complain: 1 });
});

test.each([
  [[6, 0, 0, 0, 1], true],
  [[6, 0, 0, 0, 0], false],
  [[6, 0, 0, 0], null],
  [[6, 0, 0, 0, 7], null],
  [[], null],
])('secure boot: %j is %s', (bytes, expected) => {
  expect(parseSecureBoot(Uint8Array.from(bytes))).toBe(expected);
});

test('no variable is no answer', () => expect(parseSecureBoot(null)).toBeNull());

test('a firewall is enabled by its own switch, or by a target that wants it', async () => {
  const unit = '[Install]\nWantedBy=multi-user.target\n';
  const firewalls = async (files: Record<string, string>) => (await collect(files))?.firewalls;
  expect(await firewalls({ 'etc/ufw/ufw.conf': 'ENABLED=no\n' })).toEqual([{ name: 'ufw', enabled: false }]);
  expect(await firewalls({ 'etc/hosts': '', 'lib/systemd/system/iptables.service': unit })).toEqual([
    { name: 'iptables', enabled: false },
  ]);
});

test('only what the device mapper encrypts is an encrypted volume', async () => {
  const devices = '/sys/devices/virtual/block';
  const values = await collect({
    [`${devices}/dm-0/dm/uuid`]: 'LVM-abc',
    [`${devices}/dm-1/dm/uuid`]: 'CRYPT-PLAIN-swap_crypt',
    [`${devices}/dm-1/dm/name`]: 'swap_crypt',
    [`${devices}/dm-10/dm/uuid`]: 'CRYPT-LUKS1-0123-a',
    [`${devices}/dm-10/dm/name`]: 'a',
    [`${devices}/loop0/size`]: '0',
  });
  expect(values?.encryptedVolumes).toEqual([
    { name: 'a', type: 'LUKS1' },
    { name: 'swap_crypt', type: 'PLAIN' },
  ]);
});

test('what the kernel says of a mitigation is told as it stands', async () => {
  const folder = 'sys/devices/system/cpu/vulnerabilities';
  const values = await collect({
    [`${folder}/mds`]: 'Vulnerable; SMT Host state unknown\n',
    [`${folder}/x`]: '',
  });
  expect(values?.cpuVulnerabilities).toEqual([{ name: 'mds', status: 'Vulnerable; SMT Host state unknown' }]);
});
