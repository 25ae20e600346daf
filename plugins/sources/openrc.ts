/**
 * openrc: the services of OpenRC, by the links in which it keeps what is to start and what has started.
 */
import type { LinuxFiles } from './linux-files.ts';

export type OpenRcService = { name: string; description: string | null; enabled: string; running: boolean };

const started = '/run/openrc/started';

/** By name; null where OpenRC does not run. */
export async function readOpenRcServices(files: LinuxFiles): Promise<OpenRcService[] | null> {
  const running = await files.list(started);
  if (running === null) return null;
  const levels = (await files.list('/etc/runlevels')) ?? [];
  const [scripts, ...enabled] = await Promise.all([
    files.list('/etc/init.d'),
    ...levels.map((level) => files.list(`/etc/runlevels/${level}`)),
  ]);
  const isEnabled = new Set(enabled.flatMap((names) => names ?? []));
  const names = (scripts ?? []).filter((name) => !/\.sh$|^README/.test(name));
  return Promise.all(
    names.map(async (name) => ({
      name,
      description: descriptionOf(await files.read(`/etc/init.d/${name}`)),
      enabled: isEnabled.has(name) ? 'enabled' : 'disabled',
      running: running.includes(name),
    })),
  );
}

/** Of the daemons it watches; others keep no record of their processes. */
export async function readOpenRcProcesses(files: LinuxFiles): Promise<{ name: string; processId: number }[]> {
  const folder = '/run/openrc/daemons';
  const names = (await files.list(folder)) ?? [];
  const found = await Promise.all(
    names.map(async (name) => {
      const records = (await files.list(`${folder}/${name}`)) ?? [];
      const texts = await Promise.all(records.map((record) => files.read(`${folder}/${name}/${record}`)));
      const pidFiles = texts.flatMap((text) => /^pidfile=(\/.+)$/m.exec(text ?? '')?.[1] ?? []);
      const ids = await Promise.all(pidFiles.map((path) => files.read(path)));
      const processId = ids.find((id) => /^\d{1,10}$/.test(id?.trim() ?? ''));
      return processId ? [{ name, processId: Number(processId) }] : [];
    }),
  );
  return found.flat();
}

/** What a script says of itself, unless it is made of variables. */
function descriptionOf(script: string | null): string | null {
  const [, double, single] = /^description=(?:"([^"$`\n]+)"|'([^'\n]+)')/m.exec(script ?? '') ?? [];
  return double ?? single ?? null;
}
