import { readFileSync } from 'node:fs';
import os from 'node:os';
import { expect, test } from 'vitest';
import { collectChecked, collectContext } from '../test/support/recorded-hosts.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import osPlugin from './os.ts';
import { parseBootSeconds, steadyBootTime } from './sources/boot-time.ts';
import { type ContainerSigns, detectContainer } from './sources/detect-container.ts';
import { detectVirtualization, type VirtualizationSigns } from './sources/detect-virtualization.ts';
import { qualifiedName } from './sources/etc-hosts.ts';
import { parseUptime } from './sources/os.linux.ts';
import { toPortableOs } from './sources/os.portable.ts';
import { parseAssignments } from './sources/shell-assignments.ts';

const isLinux = process.platform === 'linux';

/** What /proc/cpuinfo has in a virtual machine, and on metal. */
const guest = 'flags\t\t: fpu hypervisor\n';
const metal = 'flags\t\t: fpu vmx\n';

test('this host: what it tells agrees with node:os', async () => {
  const values = await collectChecked(osPlugin, collectContext('/'));
  expect(values).toMatchObject({
    platform: process.platform,
    kernel: os.release(),
    hostname: os.hostname(),
    architecture: os.machine(),
  });
  expect(Math.abs(Number(values.uptimeSeconds) - os.uptime())).toBeLessThan(60);
  expect(new Date(String(values.bootedAt)).getTime()).toBeLessThanOrEqual(Date.now());
});

test.runIf(isLinux)('this host: the distribution is the one of os-release', async () => {
  const text = readFileSync('/etc/os-release', 'utf8');
  const values = await collectChecked(osPlugin, collectContext('/'));
  expect(text).toContain(String(values.distribution));
  const id = /^VERSION_ID="?([^"\n]*)/m.exec(text)?.[1];
  if (id) expect(values.version).toBe(id);
  if (id) expect(String(values.pointRelease).startsWith(id)).toBe(true);
});

test.runIf(isLinux)('this host: no fact changes between two collections', async () => {
  const context = collectContext('/');
  const facts = async () => ({ ...(await collectChecked(osPlugin, context)), uptimeSeconds: null });
  expect(await facts()).toEqual(await facts());
});

test.each([
  ['A=plain', 'plain'],
  ['A="with blanks"', 'with blanks'],
  ["A='single $HOME \\n'", 'single $HOME \\n'],
  ['A="\\$5 \\"q\\" \\\\ \\` \\n"', '$5 "q" \\ ` \\n'],
  ['A=one\\ word', 'one word'],
  ['A="joined"\' from\'\\ pieces', 'joined from pieces'],
  ['  A=indented  ', 'indented'],
  ['A=value # comment', 'value'],
  ['A=', ''],
  ['A=""', ''],
  ['A="no end', ''],
  ['A=first\nA=second', 'second'],
  ['A=crlf\r\nB=x', 'crlf'],
  ['\uFEFFA=marked', 'marked'],
  ['#A=comment', undefined],
  ['A B=no', undefined],
  ['9A=no', undefined],
])('assignment %j is %j', (file, value) => {
  expect(parseAssignments(file).A).toBe(value);
});

test('an assignment to a name that every object has is but an assignment', () => {
  const values = parseAssignments('constructor=x\n__proto__=y\n');
  expect(values.constructor).toBe('x');
  expect(values.toString).toBeUndefined();
});

test.runIf(isLinux).each([
  ['debian', '12', '12.11', '12.11'],
  ['debian', '12', '12', '12'],
  ['debian', '13', 'trixie/sid', '13'],
  ['debian', '', 'trixie/sid', null],
  ['debian', '12', '11.9', '12'],
  ['ubuntu', '24.04', 'trixie/sid', '24.04'],
  ['raspbian', '12', '12.4', '12'],
  ['arch', '', null, null],
])(
  'point release of %s with VERSION_ID %j and debian_version %j is %j',
  async (id, versionId, debian, expected) => {
    const root = await temporaryFolder({
      'node-os.json': '{}',
      'etc/os-release': `ID=${id}\nVERSION_ID="${versionId}"\n`,
      ...(debian === null ? {} : { 'etc/debian_version': `${debian}\n` }),
    });
    const values = await collectChecked(osPlugin, collectContext(root));
    expect(values).toMatchObject({ version: versionId || null, pointRelease: expected });
  },
);

const kernelName = 'proc/sys/kernel/hostname';

test.runIf(isLinux).each<[string | null, Record<string, string>]>([
  ['mounted', { 'etc/hostname': 'mounted\n', [kernelName]: 'container\n' }],
  ['mounted', { 'etc/hostname': '# set by hand\n\nmounted\n' }],
  ['kernel', { 'etc/hostname': '\n', [kernelName]: 'kernel\n' }],
  ['kernel', { 'etc/hostname': '\0\0\0', [kernelName]: 'kernel\n' }],
  ['recorded', { [kernelName]: '(none)\n', 'node-os.json': '{"hostname":"recorded"}' }],
  [null, { [kernelName]: '(none)\n', 'node-os.json': '{"hostname":"(none)"}' }],
])('host name %j of %j under another root', async (hostname, files) => {
  const root = await temporaryFolder({ 'node-os.json': '{}', ...files });
  expect(await collectChecked(osPlugin, collectContext(root))).toMatchObject({ hostname });
});

test.runIf(isLinux)(
  'what PID 1 says about its container, and the clocks, are read from the root',
  async () => {
    const root = await temporaryFolder({
      'node-os.json': '{}',
      'proc/cpuinfo': guest,
      'proc/1/environ': 'PATH=/bin\0container=lxc\0',
      'sys/devices/system/clocksource/clocksource0/available_clocksource': 'kvm-clock tsc\n',
    });
    const values = await collectChecked(osPlugin, collectContext(root));
    expect(values).toMatchObject({ virtualization: 'kvm', container: 'lxc' });
  },
);

test.each([
  ['web1.example.org', null, 'web1.example.org'],
  ['web1', '127.0.1.1 web1.example.org web1', 'web1.example.org'],
  ['web1', '10.0.0.1 web1 web1.example.org. # own', 'web1.example.org'],
  ['WEB1', '10.0.0.1 web1.Example.org web1', 'web1.Example.org'],
  ['web1', '127.0.0.1 localhost localhost.localdomain web1', null],
  ['web1', '# 10.0.0.1 web1.example.org web1', null],
  ['web1', '10.0.0.2 web10.example.org web10', null],
  ['web1', '127.0.0.1 localhost web1\n10.0.0.1 web1.example.org web1', 'web1.example.org'],
  ['web1', null, null],
])('qualified name of %s with %j is %j', (hostname, hosts, expected) => {
  expect(qualifiedName(hostname, hosts)).toBe(expected);
});

test('the boot time stays through the jitter of a clock, and follows a correction', () => {
  const cache = new Map<string, unknown>();
  expect(steadyBootTime(cache, 1_700_000_000)).toBe('2023-11-14T22:13:20.000Z');
  expect(steadyBootTime(cache, 1_700_000_001)).toBe('2023-11-14T22:13:20.000Z');
  expect(steadyBootTime(cache, 1_699_999_999)).toBe('2023-11-14T22:13:20.000Z');
  expect(steadyBootTime(cache, 1_700_003_600)).toBe('2023-11-14T23:13:20.000Z');
  expect(steadyBootTime(cache, null)).toBeNull();
});

test('boot time and uptime of damaged files are unknown', () => {
  expect(parseBootSeconds('btime 0\n')).toBeNull();
  expect(parseBootSeconds('btime x\n')).toBeNull();
  expect(parseBootSeconds(null)).toBeNull();
  expect(parseUptime('')).toBeNull();
  expect(parseUptime('abc 1')).toBeNull();
  expect(parseUptime('12.5 3')).toBe(12.5);
});

test.each<[string | null, Partial<VirtualizationSigns>]>([
  ['kvm', { cpuinfo: guest, dmi: ['Standard PC (Q35 + ICH9, 2009)', 'QEMU'] }],
  ['qemu', { dmi: ['QEMU Virtual Machine', 'QEMU'] }],
  ['kvm', { cpuinfo: guest, dmi: ['KubeVirt', 'Red Hat'] }],
  ['amazon', { cpuinfo: guest, dmi: ['m7i.large', 'Amazon EC2'] }],
  ['none', { cpuinfo: metal, dmi: ['m7i.metal-24xl', 'Amazon EC2'] }],
  ['none', { cpuinfo: metal, dmi: ['SUN FIRE X4170', 'Oracle Corporation'] }],
  ['oracle', { cpuinfo: guest, dmi: ['VirtualBox', 'innotek GmbH'] }],
  ['google', { cpuinfo: guest, dmi: ['Google Compute Engine', 'Google'] }],
  ['microsoft', { cpuinfo: guest, dmi: ['Virtual Machine', 'Microsoft Corporation'] }],
  ['none', { cpuinfo: metal, dmi: ['Surface Laptop', 'Microsoft Corporation'] }],
  ['xen', { cpuinfo: guest, hypervisorType: 'xen' }],
  ['kvm', { deviceTree: 'linux,kvm\0' }],
  ['xen', { deviceTree: 'xen,xen-4.17\0xen,xen\0' }],
  ['vm-other', { deviceTree: 'acme,hypervisor\0' }],
  ['zvm', { sysinfo: 'VM00 Control Program: z/VM    7.2.0' }],
  ['kvm', { sysinfo: 'VM00 Control Program: KVM/Linux' }],
  ['none', { sysinfo: 'Manufacturer: IBM\nLPAR Name: LP1' }],
  ['uml', { cpuinfo: 'processor\t: 0\nvendor_id\t: User Mode Linux\n' }],
  ['kvm', { cpuinfo: guest, clockSources: 'kvm-clock tsc acpi_pm' }],
  ['microsoft', { cpuinfo: guest, clockSources: 'hyperv_clocksource_tsc_page acpi_pm' }],
  ['xen', { cpuinfo: guest, clockSources: 'tsc xen' }],
  ['vm-other', { cpuinfo: guest, clockSources: 'tsc hpet' }],
  ['none', { cpuinfo: metal, clockSources: 'tsc kvm-clock' }],
  ['vmware', { cpuinfo: guest, dmi: ['VMware7,1'], clockSources: 'kvm-clock' }],
  ['vm-other', { cpuinfo: guest }],
  ['none', { cpuinfo: metal }],
  [null, { cpuinfo: 'processor\t: 0\nFeatures\t: fp asimd\n' }],
  [null, {}],
])('virtualization %s of %j', (expected, signs) => {
  const texts = { cpuinfo: null, hypervisorType: null, deviceTree: null, sysinfo: null, clockSources: null };
  const none = { ...texts, dmi: [] };
  expect(detectVirtualization({ ...none, ...signs })).toBe(expected);
});

test.each<[string | null, Partial<ContainerSigns>]>([
  ['lxc', { manager: 'lxc' }],
  ['systemd-nspawn', { environ: 'PATH=/bin\0container=systemd-nspawn\0' }],
  [null, { environ: 'mycontainer=no\0' }],
  ['container-other', { environ: 'container=oci\0' }],
  ['podman', { hasContainerenv: true }],
  ['docker', { hasDockerenv: true, osrelease: '5.15.153.1-microsoft-standard-WSL2' }],
  ['wsl', { osrelease: '5.15.153.1-microsoft-standard-WSL2', hasSystemd: true }],
  ['docker', { cgroup: '12:pids:/docker/5f3c1e2a9b7d\n' }],
  ['container-other', { cgroup: '0::/kubepods.slice/kubepods-burstable.slice/cri-x.scope\n' }],
  ['none', { cgroup: '0::/init.scope\n', hasSystemd: true }],
  [null, { cgroup: '0::/\n' }],
])('container %s of %j', (expected, signs) => {
  const none: ContainerSigns = {
    manager: null,
    environ: null,
    cgroup: null,
    hasDockerenv: false,
    hasContainerenv: false,
    osrelease: null,
    hasSystemd: false,
  };
  expect(detectContainer({ ...none, ...signs })).toBe(expected);
});

test('systeminformation has empty text for unknown', () => {
  const info = { distro: 'macOS', release: '14.5', codename: 'Sonoma', fqdn: 'mac' };
  const system = { virtual: true, virtualHost: 'Parallels' };
  const raw = {
    platform: 'darwin',
    machine: 'arm64',
    kernel: '23.5.0',
    hostname: 'mac',
    timezone: 'Europe/Rome',
  };
  expect(toPortableOs({ ...raw, info, system })).toEqual({
    platform: 'darwin',
    distribution: 'macOS',
    distributionId: 'macos',
    version: '14.5',
    pointRelease: '14.5',
    codename: 'Sonoma',
    kernel: '23.5.0',
    architecture: 'arm64',
    hostname: 'mac',
    fqdn: null,
    timezone: 'Europe/Rome',
    virtualization: 'parallels',
    container: null,
  });
});
