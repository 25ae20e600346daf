import { statfsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { collectChecked, collectContext, hostRoot } from '../test/support/recorded-hosts.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import disk from './disk.ts';
import { toBlockDevice } from './sources/block-devices.ts';
import { toPortableDisk } from './sources/disk.portable.ts';
import { parseDiskStats, parsePartitionNames } from './sources/diskstats.ts';
import { askUsage, type StatFs, toUsage } from './sources/file-system-usage.ts';
import { parseMountInfo, selectMounts } from './sources/mountinfo.ts';
import { parseUdevData } from './sources/udev-data.ts';

const isLinux = process.platform === 'linux';

type Named = { name?: string; mountPoint?: string; totalBytes?: number };

test.runIf(isLinux)('this host: the root file system is there, with its size and its use', async () => {
  const values = await collectChecked(disk, collectContext('/'));
  const root = (values.filesystems as Named[]).find(({ mountPoint }) => mountPoint === '/');
  const { blocks, bsize } = statfsSync('/');
  expect(root?.totalBytes).toBe(blocks * bsize);
  expect((values.usage as Named[]).map(({ mountPoint }) => mountPoint)).toContain('/');
});

const mount = (device: string, folder: string, mountPoint: string, type: string, source = '/dev/x') =>
  `30 20 ${device} ${folder} ${mountPoint} rw,noatime shared:1 master:2 - ${type} ${source} rw,errors=continue\n`;

const selected = (...lines: string[]) =>
  selectMounts(parseMountInfo(lines.join(''))).map(({ mountPoint }) => mountPoint);

test('a line of the mount table', () => {
  const text =
    '36 35 98:0 /sub /mnt/a\\040b rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue\n' +
    '37 35 98:1 / /ro ro - xfs /dev/sdb rw\n38 35 98:2 / /rw rw - vfat  ro\nhalf 1 2\n';
  expect(parseMountInfo(text)).toEqual([
    {
      device: '98:0',
      folder: '/sub',
      mountPoint: '/mnt/a b',
      options: ['rw', 'noatime'],
      type: 'ext3',
      source: '/dev/root',
      readOnly: false,
    },
    expect.objectContaining({ mountPoint: '/ro', readOnly: true }),
    expect.objectContaining({ mountPoint: '/rw', source: '', readOnly: true }),
  ]);
});

test('what is mounted several times is told once, where it is mounted as a whole', () => {
  expect(selected(mount('8:1', '/a', '/x', 'ext4'), mount('8:1', '/', '/srv/all', 'ext4'))).toEqual([
    '/srv/all',
  ]);
  expect(selected(mount('8:1', '/a', '/long/x', 'ext4'), mount('8:1', '/b', '/x', 'ext4'))).toEqual(['/x']);
});

test('of btrfs each subvolume is told once', () => {
  const [root, home] = [mount('0:24', '/@', '/', 'btrfs'), mount('0:24', '/@home', '/home', 'btrfs')];
  expect(selected(root, home, mount('0:24', '/@home', '/var/home', 'btrfs'))).toEqual(['/', '/home']);
});

test('what is mounted over another hides it', () => {
  const over = selectMounts(
    parseMountInfo(mount('8:1', '/', '/mnt', 'ext4') + mount('8:2', '/', '/mnt', 'xfs')),
  );
  expect(over).toMatchObject([{ device: '8:2', type: 'xfs' }]);
});

test('file systems of the kernel and of containers are left out', () => {
  expect(
    selected(
      mount('0:5', '/', '/proc', 'proc'),
      mount('0:6', '/', '/run', 'tmpfs'),
      mount('0:7', '/', '/dev/shm', 'tmpfs'),
      mount('0:8', '/', '/tmp', 'tmpfs'),
      mount('7:0', '/', '/snap/core/1', 'squashfs'),
      mount('0:9', '/', '/var/lib/docker/overlay2/x/merged', 'overlay'),
      mount('0:10', '/', '/var/lib/kubelet/pods/1/volumes/token', 'tmpfs'),
      mount('8:16', '/', '/run/media/carol/STICK', 'vfat'),
      mount('0:11', '/', '/', 'overlay'),
    ),
  ).toEqual(['/', '/run/media/carol/STICK', '/tmp']);
});

const stat: StatFs = {
  bsize: 4096n,
  frsize: 1024n,
  blocks: 1000n,
  bfree: 400n,
  bavail: 300n,
  files: 10n,
  ffree: 4n,
};

test('usage is counted in fragments, and shares as df does', () => {
  expect(toUsage(stat)).toEqual({
    totalBytes: 1_024_000,
    usedBytes: 614_400,
    availableBytes: 307_200,
    utilization: 600 / 900,
    inodes: 10,
    inodesUsed: 6,
    inodesUtilization: 0.6,
  });
  expect(toUsage({ ...stat, frsize: 0, files: 0 })).toMatchObject({
    totalBytes: 4_096_000,
    inodes: null,
    inodesUsed: null,
  });
  expect(toUsage({ ...stat, blocks: 0, bfree: 0, bavail: 0 })).toMatchObject({
    usedBytes: 0,
    utilization: null,
  });
  expect(toUsage({ ...stat, bfree: 2000 })).toMatchObject({ usedBytes: null, utilization: null });
});

test('a file system that does not answer is not waited for, nor asked again until it has answered', async () => {
  const cache = new Map<string, unknown>();
  let asked = 0;
  let answer: (value: StatFs) => void = () => {};
  const source = {
    ownDevices: null,
    pathOf: (path: string) => path,
    statfs: () => {
      asked++;
      return new Promise<StatFs>((resolve) => {
        answer = resolve;
      });
    },
  };
  expect(await askUsage(source, '/hung', cache, 1)).toBeNull();
  expect(await askUsage(source, '/hung', cache, 1)).toBeNull();
  expect(asked).toBe(1);
  answer(stat);
  // It may be asked again once its late answer has been taken.
  await new Promise(setImmediate);
  const again = askUsage(source, '/hung', cache);
  answer(stat);
  expect(await again).toEqual(stat);
  expect(asked).toBe(2);
});

test('a file system that refuses has no usage', async () => {
  const source = {
    ownDevices: null,
    pathOf: (path: string) => path,
    statfs: () => Promise.reject(new Error('EACCES')),
  };
  expect(await askUsage(source, '/secret', new Map())).toBeNull();
});

test.runIf(isLinux)(
  'where this process sees another file system than the host, it is not asked',
  async () => {
    // The table of the first process tells of a device that is mounted nowhere here.
    const root = await temporaryFolder({ 'proc/1/mountinfo': mount('8:250', '/', '/', 'ext4') });
    const values = await collectChecked(disk, collectContext(root));
    expect(values.filesystems).toMatchObject([{ mountPoint: '/', totalBytes: null }]);
    expect(values.usage).toEqual([]);
  },
);

test.runIf(isLinux)('devices are read again only when they come or go', async () => {
  const context = collectContext(hostRoot('debian-12-kvm'));
  const first = await collectChecked(disk, context);
  const partitions = 'major minor  #blocks  name\n\n 254        0   20971520 vda\n';
  const device = {
    'sys/block/vda/size': '41943040\n',
    'sys/block/vda/serial': 'another\n',
    'sys/block/vda/ro': '0\n',
  };
  const root = await temporaryFolder({ 'node-os.json': '{}', 'proc/partitions': partitions, ...device });
  const second = await collectChecked(disk, { ...context, root });
  expect(second.devices).not.toEqual(first.devices);
  expect(second.devices).toMatchObject([{ name: 'vda', serial: 'another', sizeBytes: 21_474_836_480 }]);
  const same = await temporaryFolder({ 'node-os.json': '{}', 'proc/partitions': partitions });
  expect((await collectChecked(disk, { ...context, root: same })).devices).toEqual(second.devices);
});

test.runIf(isLinux)('a RAID that loses a member is told at once', async () => {
  const files = {
    'node-os.json': '{}',
    'proc/partitions': '   9        0   1000 md0\n',
    'sys/block/md0/size': '2000\n',
    'sys/block/md0/md/level': 'raid5\n',
  };
  const whole = await temporaryFolder({ ...files, 'sys/block/md0/md/degraded': '0\n' });
  const broken = await temporaryFolder({ ...files, 'sys/block/md0/md/degraded': '1\n' });
  const context = collectContext(whole);
  expect((await collectChecked(disk, context)).devices).toMatchObject([{ type: 'raid5', degraded: 0 }]);
  const after = await collectChecked(disk, { ...context, root: broken });
  expect(after.devices).toMatchObject([{ degraded: 1 }]);
});

test('labels are decoded, and properties are told from other lines', () => {
  const data =
    'S:disk/by-label/x\nE:ID_FS_LABEL=a_b\nE:ID_FS_LABEL_ENC=a\\x20b\\xc3\\xbc\nE:ID_FS_TYPE=ext4\nE:EMPTY=\n';
  expect(parseUdevData(data)).toMatchObject({ label: 'a bü', fileSystem: 'ext4', uuid: null });
  expect(parseUdevData('')).toEqual({
    fileSystem: null,
    label: null,
    uuid: null,
    partitionLabel: null,
    partitionUuid: null,
    serial: null,
  });
});

test('counters of a kernel with few and with many columns', () => {
  const io = parseDiskStats(
    '   8       0 sda 10 1 20 5 30 2 40 6 0 1500 11\n 259 0 nvme0n1 1 0 2 0 3 0 4 0 0 5 6 7 8 9 10 11 12\n 8 1 sda1 5\n',
  );
  expect(io.get('sda')).toEqual({
    name: 'sda',
    readBytes: 10_240,
    writtenBytes: 20_480,
    reads: 10,
    writes: 30,
    busySeconds: 1.5,
  });
  expect([...io.keys()]).toEqual(['sda', 'nvme0n1']);
  expect([...parsePartitionNames('major minor  #blocks  name\n\n   8        1    1024 sda1\n')]).toEqual([
    ['8:1', 'sda1'],
  ]);
});

const nothing = parseUdevData('');
const noFiles = {
  ...{ size: '2048', ro: '0', removable: '0', serial: null, wwid: null, 'dm/name': null, 'dm/uuid': null },
  ...{ 'md/level': null, 'queue/rotational': null, 'queue/logical_block_size': null },
  ...{ 'queue/physical_block_size': null, 'device/model': null, 'device/name': null, 'device/vendor': null },
  ...{ 'device/serial': null, 'device/wwid': null, 'device/firmware_rev': null, 'device/rev': null },
  'device/fwrev': null,
};
const deviceOf = (name: string, path: string | null, files: Partial<typeof noFiles> | object = {}) =>
  toBlockDevice({
    ...{ name, path, members: [], serialPage: null, udev: nothing, partitions: [] },
    files: { ...noFiles, ...files },
  });

test.each([
  ['../devices/pci0000:00/0000:00:17.0/ata3/host2/target2:0:0/2:0:0:0/block/sda', 'sata'],
  ['../devices/pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host6/target6:0:0/6:0:0:0/block/sda', 'usb'],
  ['../devices/pci0000:00/0000:00:05.0/virtio2/block/vda', 'virtio'],
  ['../devices/pci0000:00/0000:00:05.0/virtio1/host0/target0:0:0/0:0:0:0/block/sda', 'scsi'],
  ['../devices/pci0000:00/0000:00:01.0/host0/port-0:0/end_device-0:0/target0:0:0/0:0:0:0/block/sda', 'sas'],
  ['../devices/platform/host3/session1/target3:0:0/3:0:0:1/block/sdb', 'iscsi'],
  ['../devices/pci0000:00/0000:00:03.0/host5/rport-5:0-0/target5:0:0/5:0:0:0/block/sdc', 'fc'],
  ['../devices/vbd-51712/block/xvda', 'xen'],
  ['../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1', 'nvme'],
  ['../devices/virtual/block/dm-0', null],
  [null, null],
])('%s is attached by %s', (path, transport) => {
  expect(deviceOf('sda', path)?.transport).toBe(transport);
});

test('devices that are built from others say how', () => {
  const type = (name: string, files: object) => deviceOf(name, null, files)?.type;
  expect(type('dm-0', { 'dm/uuid': 'LVM-abc' })).toBe('lvm');
  expect(type('dm-1', { 'dm/uuid': 'CRYPT-LUKS2-abc-name' })).toBe('crypt');
  expect(type('dm-2', { 'dm/uuid': 'mpath-36000' })).toBe('mpath');
  expect(type('dm-3', { 'dm/uuid': 'part1-mpath-36000' })).toBe('part');
  expect(type('dm-4', { 'dm/uuid': '' })).toBe('mapper');
  expect(type('md0', { 'md/level': 'raid10' })).toBe('raid10');
  expect(type('md0', { 'md/level': '' })).toBe('raid');
});

test('a place without a device is none, a drive without a disc is one', () => {
  expect(deviceOf('nbd0', null, { size: '0' })).toBeNull();
  expect(deviceOf('sda', null, { size: null })).toBeNull();
  expect(deviceOf('sr0', null, { size: '0' })).toMatchObject({ type: 'rom', sizeBytes: 0 });
});

test('systeminformation has empty text and 0 for unknown', () => {
  const disks = [
    {
      ...{ device: 'disk0', type: 'NVMe', name: 'APPLE SSD AP0512Z', vendor: '', size: 500_277_792_768 },
      ...{ firmwareRevision: '', serialNum: '0ba', interfaceType: 'PCIe' },
    },
  ];
  const blocks = [
    {
      ...{
        name: 'disk0s1',
        type: 'part',
        fsType: 'apfs',
        mount: '/',
        size: 0,
        uuid: '',
        label: 'Macintosh HD',
      },
      ...{ removable: false, device: 'disk0' },
    },
  ];
  const fileSystems = [
    { fs: '/dev/disk3s1', type: 'APFS', size: 1000, used: 250, available: 750, mount: '/', rw: false },
    { fs: '', type: '', size: 0, used: 0, available: 0, mount: '/empty', rw: null },
  ];
  expect(toPortableDisk({ disks, blocks, fileSystems })).toMatchObject({
    devices: [
      {
        ...{
          name: 'disk0',
          transport: 'pcie',
          vendor: null,
          serial: '0ba',
          firmware: null,
          rotational: false,
        },
        partitions: [
          { name: 'disk0s1', sizeBytes: null, fileSystem: 'apfs', label: 'Macintosh HD', uuid: null },
        ],
      },
    ],
    filesystems: [
      { mountPoint: '/', source: '/dev/disk3s1', readOnly: true, totalBytes: 1000 },
      { mountPoint: '/empty', source: null, type: null, readOnly: null, totalBytes: 0 },
    ],
    usage: [{ utilization: 0.25 }, { utilization: null }],
  });
  expect(toPortableDisk({ disks: [], blocks: [], fileSystems: [] })).toBeNull();
});
