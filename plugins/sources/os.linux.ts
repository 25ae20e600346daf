/**
 * os.linux: gathers and shapes what Linux tells about the operating system.
 */

import type { CollectContext } from '../plugin.ts';
import { parseBootSeconds, steadyBootTime } from './boot-time.ts';
import { type ContainerSigns, detectContainer } from './detect-container.ts';
import { detectVirtualization, type VirtualizationSigns } from './detect-virtualization.ts';
import { qualifiedName } from './etc-hosts.ts';
import { readHostName } from './host-name.ts';
import { type LinuxFiles, linuxFiles } from './linux-files.ts';
import { nodeOs } from './node-os.ts';
import { once } from './once.ts';
import { parseAssignments } from './shell-assignments.ts';

export type RawOs = {
  osRelease: string | null;
  debianVersion: string | null;
  kernel: string | null;
  machine: string | null;
  hostname: string | null;
  hosts: string | null;
  /** Where /etc/localtime points. */
  localtime: string | null;
  /** Zone by name: Debian's /etc/timezone, or what Node.js says. */
  timezone: string | null;
  virtualization: string | null;
  container: string | null;
};

export async function collectOsOnLinux(context: CollectContext) {
  const files = linuxFiles(context.root, context.signal);
  const [raw, stat, uptime] = await Promise.all([
    gatherOs(files, context),
    files.read('/proc/stat'),
    files.read('/proc/uptime'),
  ]);
  return {
    ...toOs(raw),
    bootedAt: steadyBootTime(context.cache, parseBootSeconds(stat)),
    uptimeSeconds: parseUptime(uptime),
  };
}

async function gatherOs(files: LinuxFiles, { root, cache }: CollectContext): Promise<RawOs> {
  const [node, hostname, etcRelease, debianVersion, kernel, arch, hosts, localtime, timezone] =
    await Promise.all([
      nodeOs(root),
      readHostName(files, root),
      files.read('/etc/os-release'),
      files.read('/etc/debian_version'),
      files.read('/proc/sys/kernel/osrelease'),
      files.read('/proc/sys/kernel/arch'),
      files.read('/etc/hosts'),
      files.link('/etc/localtime'),
      files.read('/etc/timezone'),
    ]);
  // None of these can change while the kernel runs.
  const inside = await once(cache, 'inside', async () => ({
    virtualization: detectVirtualization(await gatherVirtualization(files)),
    container: detectContainer(await gatherContainer(files)),
  }));
  return {
    osRelease: etcRelease || (await files.read('/usr/lib/os-release')),
    debianVersion,
    kernel: kernel || node.release(),
    machine: arch || node.machine(),
    hostname,
    hosts,
    localtime,
    timezone: timezone || node.timezone(),
    ...inside,
  };
}

async function gatherVirtualization(files: LinuxFiles): Promise<VirtualizationSigns> {
  const dmi = ['product_name', 'sys_vendor', 'board_vendor', 'bios_vendor', 'product_version'];
  const [cpuinfo, hypervisorType, deviceTree, sysinfo, clockSources, ...dmiTexts] = await Promise.all([
    files.read('/proc/cpuinfo'),
    files.read('/sys/hypervisor/type'),
    files.read('/sys/firmware/devicetree/base/hypervisor/compatible'),
    files.read('/proc/sysinfo'),
    files.read('/sys/devices/system/clocksource/clocksource0/available_clocksource'),
    ...dmi.map((name) => files.read(`/sys/class/dmi/id/${name}`)),
  ]);
  const texts = { cpuinfo, hypervisorType, deviceTree, sysinfo, clockSources };
  return { ...texts, dmi: dmiTexts.filter((text) => text !== null) };
}

async function gatherContainer(files: LinuxFiles): Promise<ContainerSigns> {
  const [runHost, systemd, environ, cgroup, dockerenv, containerenv, osrelease, booted] = await Promise.all([
    files.read('/run/host/container-manager'),
    files.read('/run/systemd/container'),
    files.readBytes('/proc/1/environ'),
    files.read('/proc/1/cgroup'),
    files.read('/.dockerenv'),
    files.read('/run/.containerenv'),
    files.read('/proc/sys/kernel/osrelease'),
    files.list('/run/systemd/system'),
  ]);
  return {
    manager: runHost || systemd,
    // Its parts end in U+0000, which a text read from a file has lost.
    environ: environ && new TextDecoder().decode(environ),
    cgroup,
    hasDockerenv: dockerenv !== null,
    hasContainerenv: containerenv !== null,
    osrelease,
    hasSystemd: booted !== null,
  };
}

/** Shapes raw texts into facts; pure. */
export function toOs(raw: RawOs) {
  const release = parseAssignments(raw.osRelease ?? '');
  return {
    platform: 'linux',
    distribution: release.NAME || null,
    distributionId: release.ID || null,
    version: release.VERSION_ID || null,
    pointRelease: pointRelease(release.ID, release.VERSION_ID, raw.debianVersion),
    codename: release.VERSION_CODENAME || null,
    kernel: raw.kernel || null,
    architecture: raw.machine,
    hostname: raw.hostname,
    fqdn: raw.hostname && qualifiedName(raw.hostname, raw.hosts),
    timezone:
      /\/zoneinfo\/(?:posix\/|right\/)?(.+)$/.exec(raw.localtime ?? '')?.[1] ?? firstLine(raw.timezone),
    virtualization: raw.virtualization,
    container: raw.container,
  };
}

/** `1097.12 2017.94`: seconds since boot, and idle ones of all processors. */
export function parseUptime(uptime: string | null): number | null {
  const seconds = /^(\d{1,12}(?:\.\d+)?)(?: |$)/.exec(uptime ?? '')?.[1];
  return seconds ? Number(seconds) : null;
}

/**
 * VERSION_ID, but on Debian the point release of /etc/debian_version (12.11 where VERSION_ID is 12):
 * which fixes are in is what an inventory is asked for. Derivatives keep Debian's file as they found
 * it, so it counts for Debian alone, and only while both name the same release.
 */
function pointRelease(id = '', versionId = '', debianVersion: string | null): string | null {
  const isPointRelease =
    id === 'debian' &&
    /^\d+(\.\d+)+$/.test(debianVersion ?? '') &&
    debianVersion?.startsWith(`${versionId}.`);
  return (isPointRelease ? debianVersion : versionId) || null;
}

function firstLine(text: string | null): string | null {
  return text?.split('\n')[0]?.trim() || null;
}
