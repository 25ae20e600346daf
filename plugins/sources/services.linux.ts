/**
 * services.linux: the services of whichever service manager runs, and what runs of them.
 */
import type { CollectContext } from '../plugin.ts';
import { parseBootSeconds } from './boot-time.ts';
import { type LinuxFiles, linuxFiles } from './linux-files.ts';
import { readOpenRcProcesses, readOpenRcServices } from './openrc.ts';
import { readServiceProcesses, type ServiceProcesses } from './service-cgroups.ts';
import { readSystemdServices, type SystemdService } from './systemd-units.ts';

/** Null where no service manager runs that is known here, as in most containers. */
export async function collectServices({ root, signal, cache }: CollectContext) {
  const files = linuxFiles(root, signal);
  // What sd_booted(3) asks.
  const isSystemd = (await files.stamp('/run/systemd/system')) !== null;
  return isSystemd ? collectSystemd(files, cache) : collectOpenRc(files);
}

async function collectSystemd(files: LinuxFiles, cache: Map<string, unknown>) {
  const [services, processes] = await Promise.all([
    readSystemdServices(files, cache),
    readServiceProcesses(files),
  ]);
  return {
    manager: 'systemd',
    services: toSystemdServices(services, processes),
    runningServices: processes && (await withStart(files, processes)),
  };
}

/** Shapes them into facts; pure. Without control groups nothing is known to run. */
export function toSystemdServices(services: readonly SystemdService[], processes: ServiceProcesses[] | null) {
  const running = processes && new Set(processes.map(({ name }) => name));
  return services.map(({ comesAndGoes, ...service }) => ({
    ...service,
    running: running === null || comesAndGoes ? null : running.has(service.name),
  }));
}

async function collectOpenRc(files: LinuxFiles) {
  const services = await readOpenRcServices(files);
  if (services === null) return null;
  const processes = await readOpenRcProcesses(files);
  const running = processes.map(({ name, processId }) => ({
    ...{ name, processIds: [processId], memoryBytes: null },
  }));
  const withStarts = await withStart(files, running);
  return {
    manager: 'openrc',
    services: services.map((service) => ({ ...service, type: null })),
    runningServices: withStarts.map((service) => ({ ...service, processCount: null })),
  };
}

async function withStart(files: LinuxFiles, services: readonly ServiceProcesses[]) {
  const bootSeconds = parseBootSeconds(await files.read('/proc/stat'));
  return Promise.all(
    services.map(async ({ name, processIds, memoryBytes }) => {
      const processId = processIds.reduce((lowest, id) => Math.min(lowest, id));
      const stat = await files.read(`/proc/${processId}/stat`);
      return {
        ...{ name, processId, processCount: processIds.length, memoryBytes },
        startedAt: bootSeconds === null ? null : startOf(stat, bootSeconds),
      };
    }),
  );
}

/** Of all that Linux tells in ticks, on every architecture that Node.js runs on. */
const ticksPerSecond = 100;

/** The 22nd field of /proc/[pid]/stat; the second one, a name, may hold blanks and brackets. */
export function startOf(stat: string | null, bootSeconds: number): string | null {
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  const ticks = fields[19] ?? '';
  if (!/^\d{1,14}$/.test(ticks)) return null;
  return new Date(bootSeconds * 1000 + (Number(ticks) / ticksPerSecond) * 1000).toISOString();
}
