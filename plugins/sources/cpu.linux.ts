/**
 * cpu.linux: gathers what Linux tells about its processors, and shapes it.
 *
 * /proc/cpuinfo has another form on every architecture, and costs milliseconds on a large host, so it
 * is read once and again only when the set of online processors changes.
 */

import type { CollectContext } from '../plugin.ts';
import { countIds } from './cpu-list.ts';
import { parseCpuTime, utilizationSince } from './cpu-time.ts';
import { countSiblingSets, type Topology } from './cpu-topology.ts';
import { parseCpuInfo } from './cpuinfo.ts';
import { type LinuxFiles, linuxFiles } from './linux-files.ts';
import { nodeOs } from './node-os.ts';
import { once } from './once.ts';

/** Texts of the files, null for those that are not there. Frequencies are as the kernel has them. */
export type RawCpu = {
  cpuinfo: string | null;
  machine: string | null;
  /** /sys/devices/system/cpu/online: `0-7`. */
  online: string | null;
  stat: string | null;
  topology: Topology | null;
  /** Kilohertz. */
  baseFrequency: string | null;
  /** Megahertz, from the firmware's own table; 0 when it does not say. */
  nominalFrequency: string | null;
  /** Kilohertz, one for each frequency policy. */
  maxFrequencies: (string | null)[];
  /** `compatible` of the first processor's device tree node: `arm,cortex-a72`, each ended by NUL. */
  compatible: string | null;
};

const folder = '/sys/devices/system/cpu';

export async function collectCpuOnLinux(context: CollectContext) {
  const files = linuxFiles(context.root, context.signal);
  const [online, stat, loadavg] = await Promise.all([
    files.read(`${folder}/online`),
    files.read('/proc/stat'),
    files.read('/proc/loadavg'),
  ]);
  const identity = await once(
    context.cache,
    'identity',
    async () => toCpu(await gatherCpu(files, context.root, online, stat)),
    online ?? String(countStatThreads(stat)),
  );
  return {
    ...identity,
    utilization: utilizationSince(context.cache, parseCpuTime(stat)),
    ...parseLoadAverage(loadavg),
  };
}

async function gatherCpu(
  files: LinuxFiles,
  root: string,
  online: string | null,
  stat: string | null,
): Promise<RawCpu> {
  const [cpuinfo, arch, node, policies, baseFrequency, nominalFrequency, compatible] = await Promise.all([
    files.read('/proc/cpuinfo'),
    files.read('/proc/sys/kernel/arch'),
    nodeOs(root),
    files.list(`${folder}/cpufreq`),
    files.read(`${folder}/cpu0/cpufreq/base_frequency`),
    files.read(`${folder}/cpu0/acpi_cppc/nominal_freq`),
    files.read(`${folder}/cpu0/of_node/compatible`),
  ]);
  return {
    cpuinfo,
    machine: arch || node.machine(),
    online,
    stat,
    topology: /^core id/m.test(cpuinfo ?? '') ? null : await countSiblingSets(files, folder, online),
    baseFrequency,
    nominalFrequency,
    maxFrequencies: await Promise.all(
      (policies ?? []).map((policy) => files.read(`${folder}/cpufreq/${policy}/cpuinfo_max_freq`)),
    ),
    compatible,
  };
}

/** Shapes raw text into facts; pure. */
export function toCpu(raw: RawCpu) {
  const info = parseCpuInfo(raw.cpuinfo);
  const [vendor, model] = splitCompatible(raw.compatible);
  const highest = Math.max(0, ...raw.maxFrequencies.map((text) => scaled(text, 1000) ?? 0));
  return {
    model: info.model ?? model,
    vendor: info.vendor ?? vendor,
    architecture: raw.machine,
    sockets: info.sockets ?? raw.topology?.sockets ?? null,
    cores: info.cores ?? raw.topology?.cores ?? null,
    threads: countIds(raw.online) ?? info.threads ?? countStatThreads(raw.stat),
    baseFrequency:
      scaled(raw.baseFrequency, 1000) ?? scaled(raw.nominalFrequency, 1_000_000) ?? info.baseFrequency,
    maxFrequency: highest || null,
    microcode: info.microcode,
    virtualization: info.virtualization,
    hypervisor: info.hypervisor,
  };
}

/** `0.00 0.07 0.11 1/87 5467`. */
export function parseLoadAverage(loadavg: string | null) {
  const [load1 = null, load5 = null, load15 = null] =
    /^(\d{1,9}\.\d+) (\d{1,9}\.\d+) (\d{1,9}\.\d+)\b/
      .exec(loadavg ?? '')
      ?.slice(1)
      .map(Number) ?? [];
  return { load1, load5, load15 };
}

/** The first entry is the most exact one. A board that names no vendor has no comma. */
function splitCompatible(compatible: string | null): [vendor: string | null, model: string | null] {
  const first = compatible?.split('\0')[0]?.trim() ?? '';
  const comma = first.indexOf(',');
  return comma < 0 ? [null, first || null] : [first.slice(0, comma) || null, first.slice(comma + 1) || null];
}

function scaled(digits: string | null, factor: number): number | null {
  return digits && /^\d{1,12}$/.test(digits) ? Number(digits) * factor || null : null;
}

function countStatThreads(stat: string | null): number | null {
  return stat?.match(/^cpu\d+ /gm)?.length ?? null;
}
