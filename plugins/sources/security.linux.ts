/**
 * security.linux: what protects a Linux host, from the files in which kernel and distribution tell it.
 */

import type { CollectContext } from '../plugin.ts';
import { readFirewalls } from './firewalls.ts';
import { type LinuxFiles, linuxFiles } from './linux-files.ts';
import { parseAssignments } from './shell-assignments.ts';

/** The variable of the UEFI specification, with the vendor that owns it. */
const secureBootVariable = '/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c';

/** Null when the host tells nothing of the kind, as some containers do. */
export async function collectSecurity({ root, signal }: Pick<CollectContext, 'root' | 'signal'>) {
  const files = linuxFiles(root, signal);
  const [selinux, appArmor, firewalls, volumes, vulnerabilities, modules, ...texts] = await Promise.all([
    readSelinux(files),
    readAppArmor(files),
    readFirewalls(files),
    readEncryptedVolumes(files),
    readCpuVulnerabilities(files),
    files.read('/proc/modules'),
    files.read('/sys/kernel/security/lsm'),
    files.read('/proc/net/ip_tables_names'),
    files.read('/sys/kernel/security/lockdown'),
    files.read('/proc/sys/crypto/fips_enabled'),
    files.read('/proc/sys/kernel/randomize_va_space'),
  ]);
  const [lsm = null, tables = null, lockdown = null, fips = null, randomization = null] = texts;
  const values = {
    ...selinux,
    ...appArmor,
    securityModules: lsm === null ? null : lsm.split(',').filter((name) => name !== ''),
    firewalls,
    packetFilters: modules === null ? null : parsePacketFilters(modules),
    iptablesTables:
      tables === null
        ? null
        : tables
            .split('\n')
            .filter((name) => name !== '')
            .sort(),
    secureBoot: parseSecureBoot(await files.readBytes(secureBootVariable)),
    lockdown: /\[(\w+)\]/.exec(lockdown ?? '')?.[1] ?? null,
    fips: parseSwitch(fips),
    addressSpaceRandomization: /^\d$/.test(randomization ?? '') ? Number(randomization) : null,
    encryptedVolumes: volumes,
    cpuVulnerabilities: vulnerabilities,
  };
  const isTold = Object.values(values).some((value) =>
    Array.isArray(value) ? value.length > 0 : value !== null,
  );
  return isTold ? values : null;
}

async function readSelinux(files: LinuxFiles) {
  const [enforce, config] = await Promise.all([
    files.read('/sys/fs/selinux/enforce'),
    files.read('/etc/selinux/config'),
  ]);
  const { SELINUX, SELINUXTYPE } = parseAssignments(config ?? '');
  const isEnforcing = parseSwitch(enforce);
  const now = isEnforcing === null ? null : isEnforcing ? 'enforcing' : 'permissive';
  return {
    // Its file system is mounted as long as it is on; a config alone is one of a host where it is off.
    selinux: now ?? (config !== null && enforce === null ? 'disabled' : null),
    selinuxConfigured: SELINUX?.toLowerCase() || null,
    selinuxPolicy: SELINUXTYPE || null,
  };
}

async function readAppArmor(files: LinuxFiles) {
  const [enabled, profiles] = await Promise.all([
    files.read('/sys/module/apparmor/parameters/enabled'),
    files.read('/sys/kernel/security/apparmor/profiles'),
  ]);
  const counts = profiles === null ? null : countProfiles(profiles);
  return {
    appArmor: enabled === 'Y' ? true : enabled === 'N' ? false : null,
    appArmorEnforced: counts?.enforce ?? null,
    appArmorComplaining: counts?.complain ?? null,
  };
}

/** Lines such as `/usr/sbin/cupsd (enforce)`; a name may itself hold blanks and parentheses. */
export function countProfiles(profiles: string): { enforce: number; complain: number } {
  const modes = profiles.split('\n').map((line) => / \((\w+)\)$/.exec(line)?.[1]);
  const count = (mode: string) => modes.filter((found) => found === mode).length;
  return { enforce: count('enforce'), complain: count('complain') };
}

const packetFilterModules = ['ip6_tables', 'ip_tables', 'nf_tables'];

function parsePacketFilters(modules: string): string[] {
  const loaded = new Set(modules.split('\n').map((line) => line.split(' ')[0]));
  return packetFilterModules.filter((name) => loaded.has(name));
}

/** Four bytes of attributes, then the value, which is one byte. */
export function parseSecureBoot(variable: Uint8Array | null): boolean | null {
  const value = variable?.length === 5 ? variable[4] : null;
  return value === 0 || value === 1 ? value === 1 : null;
}

function parseSwitch(text: string | null): boolean | null {
  return text === '1' ? true : text === '0' ? false : null;
}

const virtualDevices = '/sys/devices/virtual/block';

async function readEncryptedVolumes(files: LinuxFiles) {
  const names = await files.list(virtualDevices);
  if (names === null) return null;
  const volumes = await Promise.all(
    names
      .filter((name) => /^dm-\d+$/.test(name))
      .map(async (device) => {
        const uuid = await files.read(`${virtualDevices}/${device}/dm/uuid`);
        if (!uuid?.startsWith('CRYPT-')) return null;
        const name = (await files.read(`${virtualDevices}/${device}/dm/name`)) || device;
        return { name, type: uuid.split('-')[1] || null };
      }),
  );
  return volumes.filter((volume) => volume !== null).sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function readCpuVulnerabilities(files: LinuxFiles) {
  const folder = '/sys/devices/system/cpu/vulnerabilities';
  const names = await files.list(folder);
  if (names === null) return null;
  const all = await Promise.all(
    names.map(async (name) => ({ name, status: (await files.read(`${folder}/${name}`)) || null })),
  );
  return all.flatMap(({ name, status }) => (status === null ? [] : [{ name, status }]));
}
