/**
 * pci-devices: graphics adapters on the PCI bus, and their names where a list of names is installed.
 */
import type { LinuxFiles } from './linux-files.ts';
import { wholeNumber } from './whole-number.ts';

export type RawPciDevice = {
  address: string;
  files: Record<PciFile, string | null>;
  /** Where the link to the driver leads; null without one. */
  driver: string | null;
};

const pciFiles = [
  ...(['class', 'vendor', 'device', 'subsystem_vendor', 'subsystem_device'] as const),
  ...(['boot_vga', 'mem_info_vram_total'] as const),
] as const;
type PciFile = (typeof pciFiles)[number];

const folder = '/sys/bus/pci/devices';
/** First byte of the class of what drives a display. */
const displayClass = /^0x03[0-9a-f]{4}$/;

/** Null when the system has no such bus. */
export async function gatherGpus(files: LinuxFiles): Promise<RawPciDevice[] | null> {
  const addresses = await files.list(folder);
  if (addresses === null) return null;
  const classes = await Promise.all(addresses.map((address) => files.read(`${folder}/${address}/class`)));
  const displays = addresses.filter((_, at) => displayClass.test(classes[at] ?? ''));
  return Promise.all(displays.map((address) => gatherDevice(files, address)));
}

async function gatherDevice(files: LinuxFiles, address: string): Promise<RawPciDevice> {
  const [driver, ...texts] = await Promise.all([
    files.link(`${folder}/${address}/driver`),
    ...pciFiles.map((file) => files.read(`${folder}/${address}/${file}`)),
  ]);
  const read = Object.fromEntries(pciFiles.map((file, at) => [file, texts[at] ?? null]));
  return { address, driver, files: read as RawPciDevice['files'] };
}

export type PciNames = { vendor: string | null; model: string | null };

/** @param names of makers and models, by their two numbers: `10de:2684` */
export function toGpu({ address, files, driver }: RawPciDevice, names: ReadonlyMap<string, PciNames>) {
  const { vendor, model } = names.get(pciKey({ files })) ?? { vendor: null, model: null };
  return {
    address,
    vendor,
    model,
    vendorId: number(files.vendor),
    deviceId: number(files.device),
    subsystemVendorId: number(files.subsystem_vendor),
    subsystemDeviceId: number(files.subsystem_device),
    driver: driver?.split('/').at(-1) || null,
    memoryBytes: wholeNumber(files.mem_info_vram_total),
    bootDisplay: files.boot_vga === '1' ? true : files.boot_vga === '0' ? false : null,
  };
}

export function pciKey({ files }: Pick<RawPciDevice, 'files'>): string {
  return `${number(files.vendor)}:${number(files.device)}`;
}

/** `0x10de` without what says that it is hexadecimal; null for 0x0000, which stands for none. */
function number(hexadecimal: string | null): string | null {
  const digits = /^0x([0-9a-f]{4})$/.exec(hexadecimal ?? '')?.[1];
  return digits === '0000' ? null : (digits ?? null);
}

/**
 * Looks up names in the text of pci.ids: lines of makers (`10de  NVIDIA Corporation`), each with lines of its models
 * behind a tab (`\t2684  AD102 [GeForce RTX 4090]`).
 *
 * @param keys makers and models by their numbers, `10de:2684`
 */
export function findPciNames(pciIds: string, keys: readonly string[]): Map<string, PciNames> {
  const names = new Map<string, PciNames>();
  for (const key of new Set(keys)) {
    const [vendorId = '', deviceId = ''] = key.split(':');
    const from = `\n${pciIds}`.indexOf(`\n${vendorId}  `);
    if (from < 0) continue;
    const nextVendor = /\n[0-9a-fA-F]/g;
    nextVendor.lastIndex = from + 1;
    const block = pciIds.slice(from, nextVendor.exec(pciIds)?.index);
    const vendor = nameAfter(block, `${vendorId}  `);
    names.set(key, { vendor, model: nameAfter(block, `\n\t${deviceId}  `) });
  }
  return names;
}

function nameAfter(text: string, start: string): string | null {
  const at = text.indexOf(start);
  return at < 0
    ? null
    : text
        .slice(at + start.length)
        .split('\n', 1)[0]
        ?.trim() || null;
}
