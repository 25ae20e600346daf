/**
 * os: the operating system, its kernel, names, clock zone and what it runs inside.
 *
 * Source: os-release, /proc, DMI and /etc on Linux, systeminformation elsewhere.
 * Needs no privileges, though without them some containers cannot be told; starts no process on Linux.
 */

import { definePlugin, duration, instant, text, version } from './plugin.ts';
import { collectOsOnLinux } from './sources/os.linux.ts';
import { collectOsElsewhere } from './sources/os.portable.ts';

export default definePlugin({
  name: 'os',
  version: 1,
  description: 'Operating system, kernel, host name and what it runs inside',
  facts: {
    platform: text('Kind of system, in the words of Node.js: linux, darwin, win32', { nullable: false }),
    distribution: text('Name of the distribution or edition: Debian GNU/Linux, macOS'),
    distributionId: text('Short name without blanks: debian, rhel, macos; null on Windows'),
    version: version('Release, as VERSION_ID of os-release tells: 12, 24.04; null for rolling ones'),
    pointRelease: version('The same as exactly as it is told: on Debian 12.11 where the version is 12'),
    codename: text('Code name of the release; null when it has none'),
    kernel: version('Kernel release, as uname -r gives it'),
    architecture: text('Machine the kernel is built for, as uname -m gives it: x86_64, aarch64'),
    hostname: text('Name the host has given itself'),
    fqdn: text('That name with its domain, from the host itself without DNS; null when it knows none'),
    timezone: text('IANA name of the zone of its clock: Europe/Berlin'),
    virtualization: text(
      'Hypervisor, in the words of systemd-detect-virt: kvm, vmware, none; null if unknown',
    ),
    container: text('Container, in the words of systemd-detect-virt: docker, lxc, none; null if unknown'),
    bootedAt: instant('When the kernel started'),
  },
  readings: {
    uptimeSeconds: duration('Time since the kernel started, sleep included'),
  },
  source:
    '/etc/os-release, /proc, /sys/class/dmi/id, /etc/hosts, /etc/localtime; systeminformation elsewhere',
  async collect(context) {
    return process.platform === 'linux' ? collectOsOnLinux(context) : collectOsElsewhere(context);
  },
});
