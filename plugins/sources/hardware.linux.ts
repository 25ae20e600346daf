/**
 * hardware.linux: what firmware, device tree and buses tell about the machine.
 */

import type { CollectContext } from '../plugin.ts';
import { gatherBatteries, type RawBattery, toBattery } from './batteries.ts';
import { chassisType, dmiDate, dmiText, dmiUuid } from './dmi.ts';
import { type LinuxFiles, linuxFiles } from './linux-files.ts';
import { once } from './once.ts';
import { findPciNames, gatherGpus, type PciNames, pciKey, type RawPciDevice, toGpu } from './pci-devices.ts';
import { type MemoryArray, parseSmbiosMemory } from './smbios.ts';

const dmiFiles = [
  ...([
    'sys_vendor',
    'product_name',
    'product_version',
    'product_serial',
    'product_uuid',
    'product_sku',
  ] as const),
  ...([
    'product_family',
    'board_vendor',
    'board_name',
    'board_version',
    'board_serial',
    'board_asset_tag',
  ] as const),
  ...([
    'bios_vendor',
    'bios_version',
    'bios_date',
    'chassis_type',
    'chassis_vendor',
    'chassis_version',
  ] as const),
  ...(['chassis_serial', 'chassis_asset_tag'] as const),
] as const;
type DmiFile = (typeof dmiFiles)[number];

export type RawHardware = {
  /** Null when the system has no DMI at all. */
  dmi: Record<DmiFile, string | null> | null;
  smbios: Uint8Array | null;
  bootedByUefi: boolean;
  /** Of a machine with a device tree: ARM, POWER, RISC-V. */
  treeModel: string | null;
  treeSerial: string | null;
  /** /proc/sysinfo of s390x. */
  sysinfo: string | null;
  gpus: RawPciDevice[] | null;
  pciNames: ReadonlyMap<string, PciNames>;
  batteries: RawBattery[] | null;
};

export async function collectHardwareOnLinux({ root, signal, cache }: CollectContext) {
  const files = linuxFiles(root, signal);
  const [dmi, smbios, efi, treeModel, treeSerial, systemId, sysinfo, gpus, batteries] = await Promise.all([
    gatherDmi(files),
    files.readBytes('/sys/firmware/dmi/tables/DMI'),
    files.list('/sys/firmware/efi'),
    files.read('/proc/device-tree/model'),
    files.read('/proc/device-tree/serial-number'),
    files.read('/proc/device-tree/system-id'),
    files.read('/proc/sysinfo'),
    gatherGpus(files),
    gatherBatteries(files),
  ]);
  const keys = gpus?.map(pciKey) ?? [];
  // The list has more than a megabyte, and is asked for the same few names each time.
  const pciNames = await once(cache, 'pciNames', () => readPciNames(files, keys), keys.join());
  const tree = { treeModel, treeSerial: treeSerial || systemId };
  return toHardware({ dmi, smbios, bootedByUefi: efi !== null, ...tree, sysinfo, gpus, pciNames, batteries });
}

async function gatherDmi(files: LinuxFiles): Promise<RawHardware['dmi']> {
  const texts = await Promise.all(dmiFiles.map((file) => files.read(`/sys/class/dmi/id/${file}`)));
  if (texts.every((text) => text === null)) return null;
  return Object.fromEntries(dmiFiles.map((file, at) => [file, texts[at] ?? null])) as RawHardware['dmi'];
}

async function readPciNames(files: LinuxFiles, keys: readonly string[]): Promise<Map<string, PciNames>> {
  if (keys.length === 0) return new Map();
  const pciIds =
    (await files.read('/usr/share/misc/pci.ids')) ?? (await files.read('/usr/share/hwdata/pci.ids')) ?? '';
  return findPciNames(pciIds, keys);
}

/** Shapes raw texts into facts; pure. Null when the machine tells nothing of itself, as many virtual ones do. */
export function toHardware(raw: RawHardware) {
  const facts = toFacts(raw);
  const isTold = (value: unknown) => (Array.isArray(value) ? value.length > 0 : value !== null);
  return Object.values(facts).some(isTold) ? facts : null;
}

function toFacts({ dmi, sysinfo, gpus, batteries, ...raw }: RawHardware) {
  const text = (file: DmiFile) => dmiText(dmi?.[file]);
  const line = (name: string) => dmiText(new RegExp(`^${name}: +(.+)$`, 'm').exec(sysinfo ?? '')?.[1]);
  return {
    systemVendor: text('sys_vendor') ?? line('Manufacturer'),
    systemProduct: text('product_name') ?? dmiText(raw.treeModel) ?? line('Type'),
    systemVersion: text('product_version') ?? line('Model'),
    systemSerial: text('product_serial') ?? dmiText(raw.treeSerial) ?? line('Sequence Code'),
    systemUuid: dmiUuid(dmi?.product_uuid),
    systemSku: text('product_sku'),
    systemFamily: text('product_family'),
    boardVendor: text('board_vendor'),
    boardProduct: text('board_name'),
    boardVersion: text('board_version'),
    boardSerial: text('board_serial'),
    boardAssetTag: text('board_asset_tag'),
    firmwareVendor: text('bios_vendor'),
    firmwareVersion: text('bios_version'),
    firmwareDate: dmiDate(dmi?.bios_date),
    firmwareType: raw.bootedByUefi ? 'uefi' : dmi === null ? null : 'bios',
    chassisType: chassisType(dmi?.chassis_type),
    chassisVendor: text('chassis_vendor'),
    chassisVersion: text('chassis_version'),
    chassisSerial: text('chassis_serial'),
    chassisAssetTag: text('chassis_asset_tag'),
    ...toMemory(raw.smbios),
    gpus: gpus?.map((gpu) => toGpu(gpu, raw.pciNames)) ?? null,
    batteries: batteries?.map(toBattery) ?? null,
  };
}

function toMemory(smbios: Uint8Array | null) {
  const { arrays, modules } = smbios === null ? { arrays: [], modules: [] } : parseSmbiosMemory(smbios);
  // A table without slots for memory is that of a machine that does not tell, or a torn one.
  if (arrays.length === 0 && modules.length === 0) return {};
  return {
    memorySlots: sum(arrays, 'slots'),
    memoryMaxBytes: sum(arrays, 'maxBytes'),
    memoryEcc: arrays[0]?.ecc ?? null,
    memoryModules: modules.map((module) => ({
      ...module,
      manufacturer: dmiText(module.manufacturer),
      partNumber: dmiText(module.partNumber),
      serial: dmiText(module.serial),
    })),
  };
}

/** Of servers each processor has an array of its own; null when one of them does not tell. */
function sum(arrays: readonly MemoryArray[], amount: 'slots' | 'maxBytes'): number | null {
  const amounts = arrays.map((array) => array[amount]).filter((value) => value !== null);
  const total = amounts.reduce((sum, value) => sum + value, 0);
  return amounts.length === arrays.length && Number.isSafeInteger(total) ? total || null : null;
}
