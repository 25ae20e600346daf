/**
 * mountinfo: reads the kernel's mount table, and picks the file systems that an inventory should know.
 */
import { unescapeOctal } from './meminfo.ts';

export type Mount = {
  /** Numbers of the device, `8:1`; 0 and a number for what has none. */
  device: string;
  /** Folder of the file system that is mounted; `/` for the whole. */
  folder: string;
  mountPoint: string;
  options: string[];
  type: string;
  source: string;
  readOnly: boolean;
};

/**
 * `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`, proc_pid_mountinfo(5).
 * Optional fields end at the dash. Lines that are not whole are left out.
 */
export function parseMountInfo(mountinfo: string): Mount[] {
  const line = /^\d+ \d+ (\d+:\d+) (\/\S*) (\/\S*) (\S+)(?: \S+)*? - (\S+) (\S*) (\S+)$/gm;
  return [...mountinfo.matchAll(line)].map(
    ([, device = '', folder = '', mountPoint = '', options = '', type = '', source = '', whole = '']) => ({
      device,
      folder: unescapeOctal(folder),
      mountPoint: unescapeOctal(mountPoint),
      options: options.split(',').filter((option) => option !== ''),
      type,
      source: unescapeOctal(source),
      readOnly: [options, whole].some((words) => words.split(',').includes('ro')),
    }),
  );
}

/** File systems of this kernel on local disks: asking how full they are is answered from memory. */
const localTypes = new Set([
  ...['ext2', 'ext3', 'ext4', 'xfs', 'btrfs', 'zfs', 'f2fs', 'bcachefs', 'jfs', 'reiserfs', 'nilfs2'],
  ...['vfat', 'msdos', 'exfat', 'ntfs', 'ntfs3', 'hfs', 'hfsplus', 'ufs', 'tmpfs', 'overlay'],
]);

/** Those that a server or a program answers for, and may never answer: they are told of and never asked. */
const remoteTypes = new Set([
  ...['nfs', 'nfs4', 'cifs', 'smb3', 'ceph', '9p', 'virtiofs', 'lustre', 'gfs2', 'ocfs2', 'afs', 'glusterfs'],
  ...['fuseblk', 'fuse.glusterfs', 'fuse.ceph-fuse', 'fuse.sshfs', 'fuse.s3fs', 'fuse.rclone'],
]);

/** Made by container managers for each container, and gone with it. */
const containerFolders = /^\/var\/lib\/(?:docker|containerd|containers|kubelet)\//;
/** Where the system keeps small file systems in memory for itself. */
const systemFolders = /^\/(?:dev|proc|run|sys)(?:\/|$)/;
/** Files that container managers mount into each container. */
const containerFiles = ['/etc/hosts', '/etc/hostname', '/etc/resolv.conf'];

/** Whether it may be asked how full it is without the risk of waiting for ever. */
export function isLocal({ type }: Mount): boolean {
  return localTypes.has(type);
}

/**
 * The file systems to tell of, by mount point. One that is mounted several times is told once, where it is mounted as
 * a whole; of btrfs, whose subvolumes are mounted each in its place, each is.
 */
export function selectMounts(mounts: readonly Mount[]): Mount[] {
  // What is mounted later at the same place hides what is there.
  const visible = [...new Map(mounts.map((mount) => [mount.mountPoint, mount])).values()].filter(isToldOf);
  const once = new Map<string, Mount>();
  for (const mount of visible.sort(wholeFirst)) {
    const key = mount.type === 'btrfs' ? `${mount.device} ${mount.folder}` : mount.device;
    if (!once.has(key)) once.set(key, mount);
  }
  return [...once.values()].sort((a, b) => (a.mountPoint < b.mountPoint ? -1 : 1));
}

function isToldOf({ type, mountPoint }: Mount): boolean {
  if (containerFolders.test(mountPoint) || containerFiles.includes(mountPoint)) return false;
  if (type === 'overlay') return mountPoint === '/';
  if (type === 'tmpfs') return !systemFolders.test(mountPoint);
  return localTypes.has(type) || remoteTypes.has(type);
}

function wholeFirst(a: Mount, b: Mount): number {
  return Number(b.folder === '/') - Number(a.folder === '/') || a.mountPoint.length - b.mountPoint.length;
}
