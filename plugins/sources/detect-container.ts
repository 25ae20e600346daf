/**
 * detect-container: which container a Linux system runs in, in the words of systemd-detect-virt.
 */

export type ContainerSigns = {
  /** What a container manager or systemd wrote down: /run/host/container-manager, /run/systemd/container. */
  manager: string | null;
  /** Environment of the first process, parted by NUL; readable by root alone. */
  environ: string | null;
  /** /proc/1/cgroup */
  cgroup: string | null;
  hasDockerenv: boolean;
  hasContainerenv: boolean;
  osrelease: string | null;
  /** systemd is the first process; it would have written down a container. */
  hasSystemd: boolean;
};

/** Paths of control groups that only a container manager makes. */
const cgroupSigns: readonly (readonly [sign: RegExp, word: string])[] = [
  [/[:/]kubepods|[:/]crio-/m, 'container-other'],
  [/\/docker[/-]/m, 'docker'],
  [/\/libpod-/m, 'podman'],
  [/\/lxc[./]/m, 'lxc'],
];

/** Null when nothing speaks for a container but nothing against one either. */
export function detectContainer(signs: ContainerSigns): string | null {
  const { manager, environ, cgroup, osrelease } = signs;
  const word = manager || /(?:^|\0)container=([^\0]+)/.exec(environ ?? '')?.[1];
  if (word) return word === 'oci' ? 'container-other' : word;
  if (signs.hasContainerenv) return 'podman';
  if (signs.hasDockerenv) return 'docker';
  const fromCgroup = cgroupSigns.find(([sign]) => sign.test(cgroup ?? ''))?.[1];
  if (fromCgroup) return fromCgroup;
  // After the others: a container may run inside.
  if (/microsoft|WSL/i.test(osrelease ?? '')) return 'wsl';
  return signs.hasSystemd ? 'none' : null;
}
