/**
 * disk: block devices with their partitions, and the file systems that lie on them with their usage.
 *
 * Source: /sys/block, /run/udev/data, /proc/diskstats, the mount table and statfs on Linux, systeminformation
 * elsewhere. Needs no privileges; starts no process on Linux. Never asks a network or FUSE file system,
 * which may hang. SMART is not asked: it takes root and a program; the temperature that the kernel tells is there.
 */

import { boolean, bytes, count, definePlugin, duration, list, number, ratio, text } from './plugin.ts';
import { collectDiskOnLinux } from './sources/disk.linux.ts';
import { collectDiskElsewhere } from './sources/disk.portable.ts';

export default definePlugin({
  name: 'disk',
  version: 1,
  description: 'Block devices, their partitions, and file systems with their usage',
  facts: {
    devices: list(
      'Block devices by name, without loop devices and disks in memory',
      {
        name: text('Name the system has for it: sda, nvme0n1, dm-0', { nullable: false }),
        type: text('disk, rom, or how it is built from others: raid1, lvm, crypt, mpath'),
        transport: text('How it is attached: nvme, sata, sas, scsi, usb, virtio, mmc, xen, fc, iscsi'),
        vendor: text('Maker, where the device tells it apart from the model'),
        model: text('Product name'),
        serial: text('Serial number'),
        wwid: text('World wide identifier: naa.5000c500a1b2c3d4, eui.0025385b11401b2c'),
        firmware: text('Revision of its firmware'),
        mapperName: text('Name of a device that the device mapper built: vg0-root'),
        sizeBytes: bytes('Its size; 0 for a drive without a medium'),
        logicalBlockSizeBytes: bytes('Smallest unit it is addressed by'),
        physicalBlockSizeBytes: bytes('Smallest unit it writes at once'),
        rotational: boolean('Whether the kernel takes it for a spinning disk'),
        removable: boolean('Whether its medium can be taken out'),
        readOnly: boolean('Whether it cannot be written to'),
        members: list('Devices and partitions it is built from; empty for a device of its own', text('Name')),
        degraded: count('Members that a RAID lacks; null for what is none'),
        fileSystem: text('What is on the device as a whole: ext4, LVM2_member, crypto_LUKS'),
        label: text('Label of that'),
        uuid: text('UUID of that'),
        partitions: list(
          'Partitions in the order of their numbers',
          {
            name: text('Name the system has for it: sda1', { nullable: false }),
            number: count('Number in the partition table'),
            startBytes: bytes('Where it begins'),
            sizeBytes: bytes('Its size'),
            partitionLabel: text('Label in the partition table'),
            partitionUuid: text('UUID in the partition table'),
            fileSystem: text('What is on it: ext4, vfat, swap, LVM2_member, crypto_LUKS'),
            label: text('Label of that'),
            uuid: text('UUID of that'),
          },
          { key: 'name' },
        ),
      },
      { key: 'name' },
    ),
    filesystems: list(
      'Mounted file systems by mount point, each once, without those of the kernel and of containers',
      {
        mountPoint: text('Folder, letter or volume where it is found', { nullable: false }),
        source: text('What is mounted: /dev/sda1, nas.example.org:/export'),
        blockDevice: text('Name of the device or partition it lies on: sda1, dm-0; null over the network'),
        type: text('ext4, xfs, btrfs, nfs4, apfs'),
        readOnly: boolean('Whether it is mounted so that nothing can be written'),
        options: list('Options of this mount; null where the platform does not tell', text('Option')),
        totalBytes: bytes('Its size; null where it is not asked, and where it varies with the use of a pool'),
        inodes: count('Files it can hold; null where it sets no limit'),
      },
      { key: 'mountPoint' },
    ),
  },
  readings: {
    usage: list(
      'How full each local file system is, by mount point',
      {
        mountPoint: text('Folder, letter or volume where it is found', { nullable: false }),
        usedBytes: bytes('Space in use'),
        availableBytes: bytes('Space that programs without privileges can still use'),
        utilization: ratio('Used share of what is used and available, as df shows it, 0..1'),
        inodesUsed: count('Files it holds; null where it sets no limit'),
        inodesUtilization: ratio('Share of the files it can hold, 0..1'),
      },
      { key: 'mountPoint' },
    ),
    io: list(
      'What each block device has done since boot; null where the platform does not tell',
      {
        name: text('Name the system has for it', { nullable: false }),
        readBytes: bytes('Read from it'),
        writtenBytes: bytes('Written to it'),
        reads: count('Reads that it completed'),
        writes: count('Writes that it completed'),
        busySeconds: duration('Time in which it had something to do'),
      },
      { key: 'name' },
    ),
    temperatures: list(
      'Temperature of each device that tells one',
      {
        name: text('Name the system has for it', { nullable: false }),
        temperatureCelsius: number('Temperature that the device itself measures', {
          unit: 'degrees Celsius',
        }),
      },
      { key: 'name' },
    ),
  },
  source:
    '/sys/block, /run/udev/data, /proc/diskstats, /proc/1/mountinfo, statfs; systeminformation elsewhere',
  async collect(context) {
    return process.platform === 'linux' ? collectDiskOnLinux(context) : collectDiskElsewhere(context);
  },
});
