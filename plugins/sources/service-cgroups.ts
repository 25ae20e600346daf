/**
 * service-cgroups: which services of systemd have processes, by their control groups.
 *
 * The second version of control groups has one tree, the first one a tree of systemd's own beside those that count.
 */
import type { LinuxFiles } from './linux-files.ts';

export type ServiceProcesses = { name: string; processIds: number[]; memoryBytes: number | null };

const trees = ['/sys/fs/cgroup', '/sys/fs/cgroup/systemd', '/sys/fs/cgroup/unified'];
/** Slices lie in slices: system.slice/system-getty.slice. */
const maxDepth = 6;
const suffix = '.service';

/** By name; null where there are no control groups to be seen. */
export async function readServiceProcesses(files: LinuxFiles): Promise<ServiceProcesses[] | null> {
  for (const tree of trees) {
    const names = await files.list(tree);
    if (!names?.includes('system.slice')) continue;
    // In the slice of users are the managers of their sessions, which come and go with them.
    const slices = names.filter((name) => name.endsWith('.slice') && name !== 'user.slice');
    const found = await Promise.all(slices.map((name) => readSlice(files, `${tree}/${name}`, maxDepth)));
    return found.flat().sort((a, b) => (a.name < b.name ? -1 : 1));
  }
  return null;
}

async function readSlice(files: LinuxFiles, path: string, depth: number): Promise<ServiceProcesses[]> {
  const names = (await files.list(path)) ?? [];
  const found = await Promise.all(
    names.map((name) => {
      if (name.endsWith('.slice') && depth > 0) return readSlice(files, `${path}/${name}`, depth - 1);
      return name.endsWith(suffix) ? readService(files, `${path}/${name}`, name) : [];
    }),
  );
  return found.flat();
}

async function readService(files: LinuxFiles, path: string, unit: string): Promise<ServiceProcesses[]> {
  const processIds = await readProcessIds(files, path, maxDepth);
  if (processIds.length === 0) return [];
  const memory = await files.read(`${path}/memory.current`);
  return [
    {
      name: unit.slice(0, -suffix.length),
      processIds,
      memoryBytes: memory && /^\d{1,15}$/.test(memory) ? Number(memory) : null,
    },
  ];
}

/** A service that manages groups of its own has no process but in those. */
async function readProcessIds(files: LinuxFiles, path: string, depth: number): Promise<number[]> {
  const own = (await files.read(`${path}/cgroup.procs`))?.match(/^\d{1,10}$/gm)?.map(Number) ?? [];
  if (own.length > 0 || depth === 0) return own;
  // Every file of a group has a dot in its name, and few groups have.
  const groups = ((await files.list(path)) ?? []).filter((name) => !/^[a-z]+\./.test(name));
  const inner = await Promise.all(groups.map((name) => readProcessIds(files, `${path}/${name}`, depth - 1)));
  return inner.flat();
}
