/**
 * cpuinfo: reads /proc/cpuinfo in the forms that x86, ARM, POWER, s390x, RISC-V and LoongArch give it.
 *
 * Names and values are taken as they are; numbers that stand for makers or parts are not looked up.
 */

export type CpuInfo = {
  model: string | null;
  vendor: string | null;
  sockets: number | null;
  cores: number | null;
  threads: number | null;
  /** Hertz. */
  baseFrequency: number | null;
  microcode: string | null;
  virtualization: string | null;
  hypervisor: boolean | null;
};

type Block = ReadonlyMap<string, string>;

/** What names the product, the most telling first: x86, POWER, RISC-V, old ARM kernels. */
const modelKeys = ['model name', 'Model Name', 'cpu', 'uarch', 'cpu model', 'Processor'];

/** What shows that virtual machines can run here: Intel, AMD, IBM Z. */
const virtualizationFlags = ['vmx', 'svm', 'sie'];

export function parseCpuInfo(cpuinfo: string | null): CpuInfo {
  const blocks = parseBlocks(cpuinfo ?? '');
  const processors = blocks.filter((block) =>
    /^\d+$/.test(block.get('processor') ?? block.get('cpu number') ?? ''),
  );
  const first = (key: string) => blocks.find((block) => block.get(key))?.get(key) ?? null;
  // Only s390x counts them in the first block; its machine type is all it has for a name.
  const isS390 = blocks[0]?.has('# processors') ?? false;
  const flags = first('flags')?.split(' ') ?? null;
  const features = flags ?? first('features')?.split(' ') ?? [];
  return {
    model: modelKeys.map(first).find((value) => value !== null) ?? (isS390 ? first('machine') : null),
    vendor: first('vendor_id'),
    sockets: countDistinct(processors.map(socketOf)),
    cores: countDistinct(processors.map(coreOf)),
    threads: processors.length || null,
    baseFrequency: megahertz(first('cpu MHz static')),
    microcode: first('microcode'),
    virtualization: virtualizationFlags.find((flag) => features.includes(flag)) ?? null,
    hypervisor: flags ? flags.includes('hypervisor') : null,
  };
}

/** Blocks are parted by empty lines; a line is `key : value`, the key padded with tabs or blanks. */
function parseBlocks(cpuinfo: string): Block[] {
  return cpuinfo.split(/\r?\n[ \t]*\r?\n/).map((block) => {
    const entries = new Map<string, string>();
    for (const line of block.split('\n')) {
      const colon = line.indexOf(':');
      const key = line.slice(0, Math.max(0, colon)).trim();
      if (key && !entries.has(key)) entries.set(key, line.slice(colon + 1).trim());
    }
    return entries;
  });
}

/** On s390x, package numbers are unique within their book, and books within their drawer. */
function socketOf(block: Block): string | undefined {
  const socket = block.get('physical id');
  return socket && [block.get('drawer id'), block.get('book id'), socket].join('/');
}

/** Core numbers are unique within their package only. */
function coreOf(block: Block): string | undefined {
  const core = block.get('core id');
  const socket = socketOf(block);
  return core && socket && `${socket}/${core}`;
}

/** Null when one is missing: part of a count is no count. */
function countDistinct(ids: (string | undefined)[]): number | null {
  return ids.length > 0 && ids.every((id) => id) ? new Set(ids).size : null;
}

/** `cpu MHz static` is the clock an s390x is made for; elsewhere `cpu MHz` is the one of this moment. */
function megahertz(value: string | null): number | null {
  return value && /^\d{1,6}(\.\d+)?$/.test(value) ? Math.round(Number(value) * 1_000_000) || null : null;
}
