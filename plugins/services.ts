/**
 * services: what the host's service manager is to run, and what of it runs.
 *
 * Source: the unit files of systemd and its control groups, or the runlevels of OpenRC; no process is started and D-Bus is not
 * asked. So a service that failed is one that does not run, without the reason. Needs no privileges.
 *
 * Whether a service runs is a fact where it is meant to run all the time, so that its end is told as a change. Services that come
 * and go by themselves (run once, or started by a timer, a socket or D-Bus) have null there: they are among the readings while
 * they run. So is all that every restart changes.
 */
import { boolean, bytes, count, definePlugin, instant, list, text } from './plugin.ts';
import { collectServices } from './sources/services.linux.ts';

export default definePlugin({
  name: 'services',
  version: 1,
  description: 'Services that the host is to run, and which of them run',
  facts: {
    manager: text('Service manager that runs: systemd or openrc', { nullable: false }),
    services: list(
      'Services that the service manager knows, by name',
      {
        name: text('Name without .service: sshd, getty@tty1', { nullable: false }),
        description: text('What it is, in one line; null when it does not tell'),
        enabled: text(
          'Whether it starts with the host, in the words of systemctl is-enabled: enabled, disabled, static, masked',
        ),
        type: text('How it starts, in the words of systemd: simple, notify, oneshot; null with OpenRC'),
        running: boolean('Whether it runs; null for a service that comes and goes by itself'),
      },
      { key: 'name', nullable: false },
    ),
  },
  readings: {
    runningServices: list(
      'Services that have processes, by name',
      {
        name: text('Name without .service', { nullable: false }),
        processId: count('Lowest of the ids of its processes, most often that of the main one'),
        processCount: count('How many processes it has'),
        startedAt: instant('When that process started'),
        memoryBytes: bytes('Memory it takes, file cache included; null where it is not counted'),
      },
      { key: 'name' },
    ),
  },
  source: '/etc/systemd, /run/systemd, /usr/lib/systemd, /sys/fs/cgroup; /etc/init.d, /run/openrc',
  platforms: ['linux'],
  collect: collectServices,
});
