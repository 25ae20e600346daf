/**
 * cpu-topology: counts cores and packages where /proc/cpuinfo does not tell (everything but x86).
 *
 * Each processor's folder lists the processors that share its core, and those that share its package.
 * One file for each core and package is enough then, and no number has to be unique across packages.
 */
import { parseCpuList } from './cpu-list.ts';
import type { LinuxFiles } from './linux-files.ts';

export type Topology = { sockets: number | null; cores: number | null };

/** @param online the list of processors to count, as /sys/devices/system/cpu/online has it */
export async function countSiblingSets(
  files: LinuxFiles,
  folder: string,
  online: string | null,
): Promise<Topology> {
  const ids = parseCpuList(online) ?? [];
  const siblings = (id: number, kind: string) => files.read(`${folder}/cpu${id}/topology/${kind}`);
  // -1 where the firmware does not tell; the sibling lists are made up then.
  const hasPackages = Number((await siblings(ids[0] ?? 0, 'physical_package_id')) ?? -1) >= 0;
  return {
    cores: await countSets(ids, (id) => siblings(id, 'thread_siblings_list')),
    sockets: hasPackages ? await countSets(ids, (id) => siblings(id, 'core_siblings_list')) : null,
  };
}

/** How many sets the ids fall into; null when one does not tell its set. */
async function countSets(
  ids: readonly number[],
  setOf: (id: number) => Promise<string | null>,
): Promise<number | null> {
  const seen = new Set<number>();
  let sets = 0;
  for (const id of ids) {
    if (seen.has(id)) continue;
    const members = parseCpuList(await setOf(id));
    if (!members?.includes(id)) return null;
    for (const member of members) seen.add(member);
    sets++;
  }
  return sets || null;
}
