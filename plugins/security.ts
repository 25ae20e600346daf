/**
 * security: what protects the host: access control, firewall, secure boot, encryption and mitigations.
 *
 * Source: /sys/fs/selinux, /sys/kernel/security, efivars and /proc on Linux, nothing elsewhere.
 * Starts no process. Profiles of AppArmor and the tables of iptables are told to root alone; without its
 * privileges those facts are null.
 */

import { boolean, count, definePlugin, list, text } from './plugin.ts';
import { collectSecurity } from './sources/security.linux.ts';

export default definePlugin({
  name: 'security',
  version: 1,
  description: 'Access control, firewall, secure boot, disk encryption and processor mitigations',
  facts: {
    selinux: text('Mode of SELinux now: enforcing, permissive, disabled; null where the host has none'),
    selinuxConfigured: text('Mode that SELinux is to have after the next boot, as its config says'),
    selinuxPolicy: text('Policy that SELinux is to load: targeted, mls'),
    appArmor: boolean('Whether AppArmor is on; null where the kernel has none'),
    appArmorEnforced: count('Profiles of AppArmor that are enforced; null without the right to read them'),
    appArmorComplaining: count('Profiles of AppArmor that only log; null without the right to read them'),
    securityModules: list('Security modules of the kernel, in the order it asks them', text('Its name')),
    firewalls: list(
      'Firewall managers that are installed, by name; empty when none of those known here is',
      {
        name: text('ufw, firewalld, nftables, iptables, netfilter-persistent', { nullable: false }),
        enabled: boolean('Whether it starts with the host', { nullable: false }),
      },
      { key: 'name' },
    ),
    packetFilters: list(
      'Packet filters of the kernel that are loaded as modules: ip_tables, ip6_tables, nf_tables',
      text('Its name'),
    ),
    iptablesTables: list(
      'Tables that the older iptables has in the kernel for IPv4; null without the right to read them',
      text('Its name'),
    ),
    secureBoot: boolean('Whether the firmware lets only signed systems start; null without UEFI'),
    lockdown: text('What the kernel denies even to root: none, integrity, confidentiality'),
    fips: boolean('Whether the kernel keeps to the cryptography of FIPS 140'),
    addressSpaceRandomization: count('Of processes: 0 none, 1 all but the heap, 2 the heap as well'),
    encryptedVolumes: list(
      'Encrypted block devices that are open, by name',
      {
        name: text('Name it is mapped to', { nullable: false }),
        type: text('How it is encrypted, as the device mapper tells: LUKS2, PLAIN'),
      },
      { key: 'name' },
    ),
    cpuVulnerabilities: list(
      'Flaws of processors that the kernel knows, by name',
      {
        name: text('As the kernel calls it: meltdown, spectre_v2', { nullable: false }),
        status: text('In the words of the kernel: Not affected, Vulnerable, Mitigation: PTI', {
          nullable: false,
        }),
      },
      { key: 'name' },
    ),
  },
  source:
    '/sys/fs/selinux, /sys/kernel/security, /sys/firmware/efi/efivars, /sys/devices/system/cpu, /etc, /proc',
  platforms: ['linux'],
  collect: collectSecurity,
});
