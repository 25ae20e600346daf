/**
 * firewalls: which firewall managers a Linux host has, and whether they start with it.
 *
 * What rules the kernel holds at the moment is told to root alone, and only over a netlink socket.
 */
import type { LinuxFiles } from './linux-files.ts';
import { parseAssignments } from './shell-assignments.ts';

export type Firewall = { name: string; enabled: boolean };

/** Those that are a service of systemd, which starts with the host when some target wants it. */
const services = ['firewalld', 'iptables', 'netfilter-persistent', 'nftables'];
const unitFolders = ['/usr/lib/systemd/system', '/lib/systemd/system', '/etc/systemd/system'];
const targets = ['multi-user.target', 'sysinit.target', 'network-pre.target', 'basic.target'];

/** By name; null where nothing of the distribution can be read. */
export async function readFirewalls(files: LinuxFiles): Promise<Firewall[] | null> {
  if ((await files.list('/etc')) === null) return null;
  const [ufw, ...units] = await Promise.all([
    readUfw(files),
    ...services.map((name) => readUnit(files, name)),
  ]);
  return [...units, ufw].filter((found) => found !== null);
}

/** Its service is always enabled; what counts is its own switch. */
async function readUfw(files: LinuxFiles): Promise<Firewall | null> {
  const config = await files.read('/etc/ufw/ufw.conf');
  return config === null
    ? null
    : { name: 'ufw', enabled: parseAssignments(config).ENABLED?.toLowerCase() === 'yes' };
}

async function readUnit(files: LinuxFiles, name: string): Promise<Firewall | null> {
  const unit = `${name}.service`;
  const units = await Promise.all(unitFolders.map((folder) => files.read(`${folder}/${unit}`)));
  if (units.every((text) => !text)) return null;
  const [masked, ...wanted] = await Promise.all([
    files.link(`/etc/systemd/system/${unit}`),
    ...targets.map((target) => files.link(`/etc/systemd/system/${target}.wants/${unit}`)),
  ]);
  return { name, enabled: masked !== '/dev/null' && wanted.some((link) => link !== null) };
}
