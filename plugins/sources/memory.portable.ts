/**
 * memory.portable: memory on macOS, Windows and the BSDs.
 *
 * systeminformation starts one or two processes for it each time, since the use of memory and swap is told
 * nowhere else there.
 */
import type { Systeminformation } from 'systeminformation';
import type { CollectContext } from '../plugin.ts';

type Amounts = 'total' | 'free' | 'available' | 'cached' | 'swaptotal' | 'swapused';

export async function collectMemoryElsewhere({ signal }: CollectContext) {
  signal.throwIfAborted();
  const { mem } = await import('systeminformation');
  return toPortableMemory(await mem());
}

/** Shapes systeminformation's answer into facts; a total of 0 means that it could not ask. */
export function toPortableMemory(memory: Pick<Systeminformation.MemData, Amounts>) {
  const { total, free, available, cached, swaptotal, swapused } = memory;
  if (!isAmount(total) || total === 0) return null;
  const availableBytes = isAmount(available) && available <= total ? available : null;
  const usedBytes = availableBytes === null ? null : total - availableBytes;
  return {
    totalBytes: total,
    swapTotalBytes: isAmount(swaptotal) ? swaptotal : null,
    freeBytes: isAmount(free) ? free : null,
    availableBytes,
    usedBytes,
    utilization: usedBytes === null ? null : usedBytes / total,
    cachedBytes: isAmount(cached) && cached > 0 ? cached : null,
    swapUsedBytes: isAmount(swapused) ? swapused : null,
  };
}

function isAmount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
