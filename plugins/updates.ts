/**
 * updates: what the package manager could bring up to date, and whether the host waits for a reboot.
 *
 * Source: apt, dnf, zypper, apk or pacman, which are asked what they know without the network: nothing is fetched, refreshed or
 * locked. They are asked again only when the installed packages or the lists of available ones changed; each time costs one or
 * two processes. Whether a reboot is due comes from files. Needs no privileges.
 */
import { boolean, count, definePlugin, instant, list, text, version } from './plugin.ts';
import { collectUpdates } from './sources/updates.linux.ts';

export default definePlugin({
  name: 'updates',
  version: 1,
  description: 'Pending package updates, and whether a reboot is due',
  facts: {
    rebootRequired: boolean(
      'Whether an update takes effect only with a reboot: the host says so, or a newer kernel than the running one is installed',
    ),
    rebootPackages: list(
      'Packages that asked for that reboot, by name; null where packages have no way to ask',
      text('Name of the package'),
    ),
    newestKernel: version('Newest installed kernel of the kind that runs; null where no such is installed'),
    manager: text('Package manager that was asked: apt, dnf, zypper, apk or pacman'),
    pendingCount: count('Packages of which a newer version is available; null if unknown'),
    pendingSecurityCount: count(
      'Those of them that close a security hole; null where the package manager does not tell',
    ),
    pending: list(
      'Packages of which a newer version is available, by name; null if unknown',
      {
        name: text('Name of the package', { nullable: false }),
        architecture: text('What it is built for; null where the package manager does not tell'),
        installedVersion: version('Version that is installed'),
        candidateVersion: version('Version that would be installed', { nullable: false }),
        security: boolean('Whether it closes a security hole; null where the package manager does not tell'),
      },
      { key: ['name', 'architecture'] },
    ),
    problem: text('Why the package manager could not say what is pending; null when it could'),
  },
  readings: {
    lastCheckedAt: instant('When the host last asked for the lists of available packages; null if unknown'),
  },
  source: 'apt, dnf, zypper, apk, pacman; /run/reboot-required, /lib/modules',
  platforms: ['linux'],
  collect: collectUpdates,
});
