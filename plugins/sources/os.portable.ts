/**
 * os.portable: the operating system on macOS, Windows and the BSDs.
 *
 * systeminformation starts a dozen processes for it, so it is asked once; what may change while the
 * agent runs comes from node:os.
 */
import os from 'node:os';
import type { Systeminformation } from 'systeminformation';
import type { CollectContext } from '../plugin.ts';
import { steadyBootTime } from './boot-time.ts';
import { liveNodeOs } from './node-os.ts';
import { once } from './once.ts';

export type RawPortableOs = {
  platform: string;
  machine: string | null;
  kernel: string | null;
  hostname: string | null;
  timezone: string | null;
  /** What systeminformation says; it has empty text for unknown. */
  info: Pick<Systeminformation.OsData, 'distro' | 'release' | 'codename' | 'fqdn'>;
  system: Pick<Systeminformation.SystemData, 'virtual' | 'virtualHost'>;
};

export async function collectOsElsewhere({ cache, signal }: CollectContext) {
  signal.throwIfAborted();
  const { info, system } = await once(cache, 'systeminformation', async () => {
    const { osInfo, system } = await import('systeminformation');
    return { info: await osInfo(), system: await system() };
  });
  const uptimeSeconds = os.uptime();
  return {
    ...toPortableOs({
      platform: process.platform,
      machine: liveNodeOs.machine(),
      kernel: liveNodeOs.release(),
      hostname: liveNodeOs.hostname(),
      timezone: liveNodeOs.timezone(),
      info,
      system,
    }),
    bootedAt: steadyBootTime(cache, Math.floor(Date.now() / 1000 - uptimeSeconds)),
    uptimeSeconds,
  };
}

/** Shapes raw answers into facts; pure. */
export function toPortableOs(raw: RawPortableOs) {
  const { platform, info, system, hostname } = raw;
  return {
    platform,
    distribution: info.distro || null,
    distributionId: platform === 'darwin' ? 'macos' : platform === 'win32' ? null : platform,
    version: info.release || null,
    pointRelease: info.release || null,
    codename: info.codename || null,
    kernel: raw.kernel,
    architecture: raw.machine,
    hostname,
    fqdn: info.fqdn?.includes('.') ? info.fqdn : null,
    timezone: raw.timezone,
    virtualization: system.virtual ? system.virtualHost?.toLowerCase() || 'vm-other' : null,
    container: null,
  };
}
