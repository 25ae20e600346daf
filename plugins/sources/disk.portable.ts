/**
 * disk.portable: disks and file systems on macOS, Windows and the BSDs.
 *
 * systeminformation starts processes for each; what the disks are is asked again only when file systems come or go.
 */
import type { Systeminformation } from 'systeminformation';
import type { CollectContext } from '../plugin.ts';
import { once } from './once.ts';

type Disk = Pick<
  Systeminformation.DiskLayoutData,
  'device' | 'type' | 'name' | 'vendor' | 'size' | 'firmwareRevision' | 'serialNum' | 'interfaceType'
>;
type Block = Pick<
  Systeminformation.BlockDevicesData,
  'name' | 'type' | 'fsType' | 'mount' | 'size' | 'uuid' | 'label' | 'removable' | 'device'
>;
type FileSystem = Pick<
  Systeminformation.FsSizeData,
  'fs' | 'type' | 'size' | 'used' | 'available' | 'mount' | 'rw'
>;

export type RawPortableDisk = { disks: Disk[]; blocks: Block[]; fileSystems: FileSystem[] };

export async function collectDiskElsewhere({ cache, signal }: CollectContext) {
  signal.throwIfAborted();
  const { fsSize, diskLayout, blockDevices } = await import('systeminformation');
  const fileSystems = await fsSize();
  const key = JSON.stringify(fileSystems.map(({ fs, mount }) => [fs, mount]));
  const { disks, blocks } = await once(
    cache,
    'disks',
    async () => ({ disks: await diskLayout(), blocks: await blockDevices() }),
    key,
  );
  return toPortableDisk({ disks, blocks, fileSystems });
}

/** Shapes systeminformation's answers into facts; its empty text and 0 mean unknown. */
export function toPortableDisk({ disks, blocks, fileSystems }: RawPortableDisk) {
  if (disks.length === 0 && fileSystems.length === 0) return null;
  const sorted = [...new Map(fileSystems.map((one) => [one.mount, one])).values()]
    .filter(({ mount }) => mount !== '')
    .sort((a, b) => (a.mount < b.mount ? -1 : 1));
  return {
    devices: disks.filter(({ device }) => device !== '').map((disk) => toDevice(disk, blocks)),
    filesystems: sorted.map(({ fs, type, size, mount, rw }) => ({
      mountPoint: mount,
      source: fs || null,
      type: type || null,
      readOnly: rw === null ? null : !rw,
      totalBytes: amount(size),
    })),
    usage: sorted.map(({ used, available, mount }) => ({
      mountPoint: mount,
      usedBytes: amount(used),
      availableBytes: amount(available),
      utilization: used >= 0 && available >= 0 && used + available > 0 ? used / (used + available) : null,
    })),
  };
}

function toDevice({ device, type, name, vendor, size, ...disk }: Disk, blocks: readonly Block[]) {
  const partitions = blocks.filter((block) => block.type === 'part' && block.device === device);
  return {
    name: device,
    type: 'disk',
    transport: disk.interfaceType.toLowerCase() || null,
    vendor: vendor || null,
    model: name || null,
    serial: disk.serialNum || null,
    firmware: disk.firmwareRevision || null,
    sizeBytes: amount(size) || null,
    rotational: type === 'HD' ? true : type === 'SSD' || type === 'NVMe' ? false : null,
    removable: blocks.find((block) => `/dev/${block.name}` === device)?.removable ?? null,
    partitions: partitions.map((block) => ({
      name: block.name,
      sizeBytes: amount(block.size) || null,
      fileSystem: block.fsType || null,
      label: block.label || null,
      uuid: block.uuid || null,
    })),
  };
}

function amount(value: number): number | null {
  return Number.isSafeInteger(value) && value >= 0 ? value : null;
}
