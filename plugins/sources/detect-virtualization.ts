/**
 * detect-virtualization: which hypervisor a Linux host runs under, in the words of systemd-detect-virt.
 *
 * Firmware names the hypervisor by its product; the signs and their order are those of
 * systemd's src/basic/virt.c, so that both give the same answer. Where systemd asks the processor, which
 * JavaScript cannot, the clocks that the kernel has from its hypervisor tell instead.
 */

export type VirtualizationSigns = {
  cpuinfo: string | null;
  /** /sys/hypervisor/type */
  hypervisorType: string | null;
  /** `compatible` of the device tree's hypervisor node. */
  deviceTree: string | null;
  /** /proc/sysinfo of an s390x. */
  sysinfo: string | null;
  /** Names of the clocks that the kernel could use, with blanks between them. */
  clockSources: string | null;
  /** Texts of the DMI tables, the product's name first. */
  dmi: string[];
};

/** How a DMI text begins, and what it stands for; the first that fits counts. */
const dmiSigns: readonly (readonly [prefix: string, word: string])[] = [
  ['KVM', 'kvm'],
  ['OpenStack', 'kvm'],
  ['KubeVirt', 'kvm'],
  ['Amazon EC2', 'amazon'],
  ['QEMU', 'qemu'],
  ['VMware', 'vmware'],
  ['VMW', 'vmware'],
  ['innotek GmbH', 'oracle'],
  ['VirtualBox', 'oracle'],
  ['Oracle Corporation', 'oracle'],
  ['Xen', 'xen'],
  ['Bochs', 'bochs'],
  ['Parallels', 'parallels'],
  ['BHYVE', 'bhyve'],
  ['Hyper-V', 'microsoft'],
  ['Apple Virtualization', 'apple'],
  ['Google Compute Engine', 'google'],
];

/** Makers of both machines and hypervisors: they count only where the processor is a virtual one. */
const ambiguousSigns = new Set(['amazon', 'oracle']);

export function detectVirtualization(signs: VirtualizationSigns): string | null {
  const flags = /^flags[ \t]*:(.*)$/m.exec(signs.cpuinfo ?? '')?.[1]?.split(' ') ?? null;
  const isVirtual = flags ? flags.includes('hypervisor') : null;
  const dmi = fromDmi(signs.dmi, isVirtual);
  if (dmi) return dmi;
  if (/^vendor_id[ \t]*: User Mode Linux$/m.test(signs.cpuinfo ?? '')) return 'uml';
  if (signs.hypervisorType === 'xen') return 'xen';
  if (signs.deviceTree) return fromDeviceTree(signs.deviceTree);
  if (signs.sysinfo) return fromSysinfo(signs.sysinfo);
  if (isVirtual === null) return null;
  return isVirtual ? (fromClockSources(signs.clockSources ?? '') ?? 'vm-other') : 'none';
}

/** Small virtual machines, such as Firecracker's, have no firmware that would name the hypervisor. */
function fromClockSources(names: string): string | null {
  const words = names.split(/\s+/);
  if (words.includes('kvm-clock')) return 'kvm';
  if (words.some((word) => word.startsWith('hyperv_clocksource_'))) return 'microsoft';
  return words.includes('xen') ? 'xen' : null;
}

function fromDmi(dmi: string[], isVirtual: boolean | null): string | null {
  // Hyper-V names itself only by these two together.
  if (dmi.includes('Virtual Machine') && dmi.includes('Microsoft Corporation')) return 'microsoft';
  for (const text of dmi) {
    const word = dmiSigns.find(([prefix]) => text.startsWith(prefix))?.[1];
    if (word && (isVirtual !== false || !ambiguousSigns.has(word))) return qemuOrKvm(word, isVirtual);
  }
  return null;
}

/** QEMU with a processor that knows of its hypervisor is accelerated, on Linux by KVM. */
function qemuOrKvm(word: string, isVirtual: boolean | null): string {
  return word === 'qemu' && isVirtual ? 'kvm' : word;
}

function fromDeviceTree(compatible: string): string {
  if (compatible.startsWith('linux,kvm')) return 'kvm';
  if (compatible.includes('xen')) return 'xen';
  if (compatible.includes('vmware')) return 'vmware';
  return 'vm-other';
}

/** `VM00 Control Program: z/VM    7.2.0`; an LPAR has no such line. */
function fromSysinfo(sysinfo: string): string {
  const program = /^VM00 Control Program:\s*(\S+)/m.exec(sysinfo)?.[1];
  if (!program) return 'none';
  return program === 'z/VM' ? 'zvm' : 'kvm';
}
