/**
 * block-devices: what /sys/block and udev tell about disks and what is built from them.
 *
 * A device has some twenty files, so they are read when devices come, go or change their size, and not each time.
 */
import { sectorBytes } from './diskstats.ts';
import type { LinuxFiles } from './linux-files.ts';
import { parseUdevData, type UdevContent } from './udev-data.ts';
import { wholeBytes, wholeNumber } from './whole-number.ts';

/** Texts by name of the file in the device's folder, null for those that are not there. */
export type RawDevice = {
  name: string;
  /** Where the link in /sys/block leads. */
  path: string | null;
  files: Record<DeviceFile, string | null>;
  members: string[];
  /** Page 0x80 of a SCSI device: four bytes of heading, then the serial number. */
  serialPage: Uint8Array | null;
  udev: UdevContent;
  partitions: RawPartition[];
};

export type RawPartition = {
  name: string;
  files: Record<PartitionFile, string | null>;
  udev: UdevContent;
};

const deviceFiles = [
  ...(['size', 'ro', 'removable', 'serial', 'wwid', 'dm/name', 'dm/uuid', 'md/level'] as const),
  ...(['queue/rotational', 'queue/logical_block_size', 'queue/physical_block_size'] as const),
  ...(['device/model', 'device/name', 'device/vendor', 'device/serial', 'device/wwid'] as const),
  ...(['device/firmware_rev', 'device/rev', 'device/fwrev'] as const),
] as const;
type DeviceFile = (typeof deviceFiles)[number];
const partitionFiles = ['partition', 'start', 'size', 'uevent'] as const;
type PartitionFile = (typeof partitionFiles)[number];

const folder = '/sys/block';

/** Loop devices, disks in memory, floppies, and the single paths of an NVMe disk that has several. */
const leftOut = /^(?:loop|ram|zram|fd)\d+$|^nvme\d+c\d+n\d+$/;

/** Null when the system keeps no such folder, as in sandboxes. */
export async function gatherBlockDevices(files: LinuxFiles): Promise<RawDevice[] | null> {
  const names = await files.list(folder);
  if (names === null) return null;
  return Promise.all(names.filter((name) => !leftOut.test(name)).map((name) => gatherDevice(files, name)));
}

async function gatherDevice(files: LinuxFiles, name: string): Promise<RawDevice> {
  const here = `${folder}/${name}`;
  const [path, entries, members, serialPage, udev, ...texts] = await Promise.all([
    files.link(here),
    files.list(here),
    files.list(`${here}/slaves`),
    files.readBytes(`${here}/device/vpd_pg80`),
    readUdev(files, here),
    ...deviceFiles.map((file) => files.read(`${here}/${file}`)),
  ]);
  const partitions = (entries ?? []).filter((entry) => entry.startsWith(name));
  return {
    name,
    path,
    files: byName(deviceFiles, texts),
    members: members ?? [],
    serialPage,
    udev,
    partitions: await Promise.all(partitions.map((entry) => gatherPartition(files, here, entry))),
  };
}

async function gatherPartition(files: LinuxFiles, parent: string, name: string): Promise<RawPartition> {
  const here = `${parent}/${name}`;
  const [udev, ...texts] = await Promise.all([
    readUdev(files, here),
    ...partitionFiles.map((file) => files.read(`${here}/${file}`)),
  ]);
  return { name, files: byName(partitionFiles, texts), udev };
}

async function readUdev(files: LinuxFiles, here: string): Promise<UdevContent> {
  const numbers = await files.read(`${here}/dev`);
  const isDevice = /^\d+:\d+$/.test(numbers ?? '');
  return parseUdevData((isDevice ? await files.read(`/run/udev/data/b${numbers}`) : null) ?? '');
}

function byName<N extends string>(names: readonly N[], texts: (string | null)[]): Record<N, string | null> {
  return Object.fromEntries(names.map((name, at) => [name, texts[at] ?? null])) as Record<N, string | null>;
}

/** Words in the path of a device that tell how it is attached; the most special ones first. */
const transports: readonly (readonly [sign: RegExp, word: string])[] = [
  [/\/usb\d+\//, 'usb'],
  [/\/nvme/, 'nvme'],
  [/\/mmc\d+\//, 'mmc'],
  [/\/ata\d+\//, 'sata'],
  [/\/session\d+\//, 'iscsi'],
  [/\/rport-/, 'fc'],
  [/\/end_device-/, 'sas'],
  [/\/virtio\d+\/(?!host)/, 'virtio'],
  [/\/vbd-/, 'xen'],
  [/\/host\d+\//, 'scsi'],
];

/** Shapes raw texts into facts; pure. Null for a place without a device: a drive for discs is one even when empty. */
export function toBlockDevice(raw: RawDevice) {
  const { name, files, udev } = raw;
  const sizeBytes = wholeBytes(files.size, sectorBytes);
  const type = toType(raw);
  if (!sizeBytes && type !== 'rom') return null;
  return {
    name,
    type,
    transport: transports.find(([sign]) => sign.test(raw.path ?? ''))?.[1] ?? null,
    vendor: toVendor(files['device/vendor']),
    model: words(files['device/model']) ?? words(files['device/name']),
    serial:
      words(files.serial) ?? words(files['device/serial']) ?? toSerial(raw.serialPage) ?? words(udev.serial),
    wwid: words(files.wwid) ?? words(files['device/wwid']),
    firmware:
      words(files['device/firmware_rev']) ?? words(files['device/rev']) ?? words(files['device/fwrev']),
    mapperName: words(files['dm/name']),
    sizeBytes,
    logicalBlockSizeBytes: wholeNumber(files['queue/logical_block_size']),
    physicalBlockSizeBytes: wholeNumber(files['queue/physical_block_size']),
    rotational: flag(files['queue/rotational']),
    removable: flag(files.removable),
    readOnly: flag(files.ro),
    members: raw.members,
    fileSystem: udev.fileSystem,
    label: udev.label,
    uuid: udev.uuid,
    partitions: raw.partitions
      .map(toPartition)
      .filter((partition) => partition !== null)
      .sort((a, b) => a.number - b.number),
  };
}

/** Device mapper devices say who made them in their identifier: `LVM-…`, `CRYPT-LUKS2-…`, `mpath-…`. */
function toType({ name, files }: RawDevice): string {
  if (files['md/level'] !== null) return words(files['md/level']) ?? 'raid';
  if (/^sr\d+$/.test(name)) return 'rom';
  if (!name.startsWith('dm-')) return 'disk';
  return /^([A-Za-z]+)\d*-/.exec(files['dm/uuid'] ?? '')?.[1]?.toLowerCase() ?? 'mapper';
}

/** Null for a number, as virtio has it, and for the word that stands in for it on SATA disks. */
function toVendor(vendor: string | null): string | null {
  const text = words(vendor);
  return text === 'ATA' || /^0x[0-9a-f]+$/i.test(text ?? '') ? null : text;
}

function toSerial(page: Uint8Array | null): string | null {
  if (page?.[1] !== 0x80) return null;
  const length = ((page[2] ?? 0) << 8) | (page[3] ?? 0);
  const text = Buffer.from(page.subarray(4, 4 + length)).toString('latin1');
  return /^[\x20-\x7e\0]+$/.test(text) ? words(text.replaceAll('\0', '')) : null;
}

function toPartition({ name, files, udev }: RawPartition) {
  const number = wholeNumber(files.partition);
  if (number === null) return null;
  // Kernels from 2024 on tell of the partition table themselves.
  const told = (key: string) => words(new RegExp(`^${key}=(.+)$`, 'm').exec(files.uevent ?? '')?.[1]);
  return {
    name,
    number,
    startBytes: wholeBytes(files.start, sectorBytes),
    sizeBytes: wholeBytes(files.size, sectorBytes),
    partitionLabel: udev.partitionLabel ?? told('PARTNAME'),
    partitionUuid: udev.partitionUuid ?? told('PARTUUID'),
    fileSystem: udev.fileSystem,
    label: udev.label,
    uuid: udev.uuid,
  };
}

function flag(text: string | null): boolean | null {
  return text === '1' ? true : text === '0' ? false : null;
}

/** Without the blanks that fill up fields of fixed length. */
function words(text: string | null | undefined): string | null {
  return text?.trim() || null;
}
