/**
 * cpu-list: the kernel's lists of processor numbers, such as `0-3,8,10-11`.
 */

/** More than any Linux can be built for, so that a damaged list cannot fill the memory. */
const maxProcessors = 65_536;

/** Processor numbers in the list's order; null for what is not such a list. */
export function parseCpuList(list: string | null): number[] | null {
  if (!list || !/^\d{1,5}(-\d{1,5})?(,\d{1,5}(-\d{1,5})?)*$/.test(list)) return null;
  const ids: number[] = [];
  for (const range of list.split(',')) {
    const [first = 0, last = first] = range.split('-').map(Number);
    for (let id = first; id <= last; id++) {
      if (ids.push(id) > maxProcessors) return null;
    }
  }
  return ids;
}

/** How many the list names; null when it is none or empty. */
export function countIds(list: string | null): number | null {
  return parseCpuList(list)?.length || null;
}
