/**
 * disk.linux: block devices from /sys/block, file systems from the mount table, usage from statfs.
 */

import { posix } from 'node:path';
import type { CollectContext } from '../plugin.ts';
import { gatherBlockDevices, toBlockDevice } from './block-devices.ts';
import { parseDiskStats, parsePartitionNames } from './diskstats.ts';
import { askUsage, toUsage, type UsageSource, usageSource } from './file-system-usage.ts';
import { type LinuxFiles, linuxFiles } from './linux-files.ts';
import { isLocal, type Mount, parseMountInfo, selectMounts } from './mountinfo.ts';
import { once } from './once.ts';
import { wholeNumber } from './whole-number.ts';

type Device = NonNullable<ReturnType<typeof toBlockDevice>>;
type Usage = ReturnType<typeof toUsage>;

export async function collectDiskOnLinux({ root, signal, cache }: CollectContext) {
  const files = linuxFiles(root, signal);
  // That of the first process is the host's; ours may be narrowed by whoever started us.
  const [partitions, diskstats, source, mountinfo] = await Promise.all([
    files.read('/proc/partitions'),
    files.read('/proc/diskstats'),
    usageSource(root),
    readMountInfo(files),
  ]);
  const mounts = mountinfo === null ? null : selectMounts(parseMountInfo(mountinfo));
  // What partitions hold is not in /proc/partitions, but what is made on one is mounted sooner or later.
  const key = JSON.stringify([partitions, mounts?.map(({ device, type }) => [device, type])]);
  const { devices, sensors } = await once(cache, 'devices', () => gatherDevices(files), key);
  if (devices === null && mounts === null) return null;

  const usages = await gatherUsages(mounts ?? [], source, cache);
  const [degraded, temperatures] = await Promise.all([
    gatherDegraded(files, devices ?? []),
    gatherTemperatures(files, sensors),
  ]);
  const io = diskstats === null ? null : parseDiskStats(diskstats);
  const names = namesByDevice(partitions, devices ?? []);
  return {
    devices: devices?.map((device) => ({ ...device, degraded: degraded.get(device.name) ?? null })) ?? null,
    filesystems: mounts?.map((mount) => toFileSystem(mount, usages, names)) ?? null,
    usage: [...usages].map(([{ mountPoint }, usage]) => {
      const { usedBytes, availableBytes, utilization, inodesUsed, inodesUtilization } = usage;
      return { mountPoint, usedBytes, availableBytes, utilization, inodesUsed, inodesUtilization };
    }),
    io: io && (devices ?? []).flatMap(({ name }) => io.get(name) ?? []),
    temperatures,
  };
}

async function readMountInfo(files: LinuxFiles): Promise<string | null> {
  return (await files.read('/proc/1/mountinfo')) || files.read('/proc/self/mountinfo');
}

async function gatherDevices(files: LinuxFiles) {
  const raw = await gatherBlockDevices(files);
  const devices = raw?.map(toBlockDevice).filter((device) => device !== null) ?? null;
  const sensors = await Promise.all((devices ?? []).map(({ name }) => findSensor(files, name)));
  return { devices, sensors: sensors.filter((sensor) => sensor !== null) };
}

type Sensor = { name: string; file: string };

/** NVMe and the drivetemp module each have theirs in another place, and it moved between kernels. */
async function findSensor(files: LinuxFiles, name: string): Promise<Sensor | null> {
  const device = await realDevice(files, name);
  for (const folder of device === null ? [] : [device, `${device}/hwmon`, `${device}/device/hwmon`]) {
    const sensor = (await files.list(folder))?.find((entry) => /^hwmon\d+$/.test(entry));
    if (sensor) return { name, file: `${folder}/${sensor}/temp1_input` };
  }
  return null;
}

/** The folder that the links of /sys lead to; null for a device that stands for no hardware. */
async function realDevice(files: LinuxFiles, name: string): Promise<string | null> {
  const block = await files.link(`/sys/block/${name}`);
  const here = block && posix.resolve('/sys/block', block);
  const device = here && (await files.link(`${here}/device`));
  return device && posix.resolve(here, device);
}

async function gatherTemperatures(files: LinuxFiles, sensors: readonly Sensor[]) {
  const texts = await Promise.all(sensors.map(({ file }) => files.read(file)));
  return sensors.flatMap(({ name }, at) => {
    const millidegrees = texts[at] ?? '';
    return /^-?\d{1,6}$/.test(millidegrees)
      ? [{ name, temperatureCelsius: Number(millidegrees) / 1000 }]
      : [];
  });
}

/** How many members each RAID lacks; changes without anything else changing. */
async function gatherDegraded(files: LinuxFiles, devices: readonly Device[]): Promise<Map<string, number>> {
  const raids = devices.filter(({ type }) => type.startsWith('raid'));
  const texts = await Promise.all(raids.map(({ name }) => files.read(`/sys/block/${name}/md/degraded`)));
  return new Map(
    raids.flatMap(({ name }, at) => {
      const missing = wholeNumber(texts[at]);
      return missing === null ? [] : [[name, missing] as const];
    }),
  );
}

async function gatherUsages(
  mounts: readonly Mount[],
  source: UsageSource,
  cache: Map<string, unknown>,
): Promise<Map<Mount, Usage>> {
  const asked = mounts.filter((mount) => isLocal(mount) && isOurs(mount, source));
  const answers = await Promise.all(
    asked.map(({ mountPoint }) => askUsage(source, source.pathOf(mountPoint), cache)),
  );
  return new Map(
    asked.flatMap((mount, at) => {
      const answer = answers[at];
      return answer ? [[mount, toUsage(answer)] as const] : [];
    }),
  );
}

/** Whether this process sees the same there: a service may have its own /tmp, and none of /home. */
function isOurs({ device, mountPoint }: Mount, { ownDevices, pathOf }: UsageSource): boolean {
  return ownDevices === null || ownDevices.get(pathOf(mountPoint)) === device;
}

function toFileSystem(mount: Mount, usages: ReadonlyMap<Mount, Usage>, names: ReadonlyMap<string, string>) {
  const { mountPoint, source, type, readOnly, options } = mount;
  const usage = usages.get(mount);
  return {
    mountPoint,
    source: source || null,
    // The numbers of btrfs stand for no device; what is mounted does.
    blockDevice: names.get(mount.device) ?? names.get(source) ?? null,
    type,
    readOnly,
    options,
    // Data sets of a ZFS pool share what is free, so that each one's size moves with the use of all.
    totalBytes: type === 'zfs' ? null : (usage?.totalBytes ?? null),
    inodes: type === 'zfs' ? null : (usage?.inodes ?? null),
  };
}

/** Names of devices and partitions by their numbers, and by what they are called in /dev. */
function namesByDevice(partitions: string | null, devices: readonly Device[]): Map<string, string> {
  const byNumbers = parsePartitionNames(partitions ?? '');
  const mapped = devices.filter(({ mapperName }) => mapperName !== null);
  return new Map([
    ...byNumbers,
    ...[...byNumbers.values()].map((name) => [`/dev/${name}`, name] as const),
    ...mapped.map(({ name, mapperName }) => [`/dev/mapper/${mapperName}`, name] as const),
  ]);
}
