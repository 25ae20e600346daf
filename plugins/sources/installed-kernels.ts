/**
 * installed-kernels: which kernel of the kind that runs would be booted next, by the modules that are installed.
 */
import type { LinuxFiles } from './linux-files.ts';

/** Releases of the kernels that have their modules installed. What is left of a removed one has no list of its modules. */
export async function readInstalledKernels(files: LinuxFiles): Promise<string[]> {
  const folder = '/lib/modules';
  const names = (await files.list(folder)) ?? [];
  const stamps = await Promise.all(names.map((name) => files.stamp(`${folder}/${name}/modules.dep`)));
  return names.filter((_, at) => stamps[at] !== null);
}

/**
 * The newest of the kernels that are of the running one's kind; null when there is none.
 *
 * Of one kind are releases that differ in numbers alone: a host may have kernels for other machines installed as well
 * (`6.12.25+rpt-rpi-v8` beside `6.12.25+rpt-rpi-2712`), or for other ends (`-rt`, `-lts`).
 */
export function newestKernel(installed: readonly string[], running: string): string | null {
  const alike = installed.filter((release) => kindOf(release) === kindOf(running));
  return alike.sort(compareReleases).at(-1) ?? null;
}

function kindOf(release: string): string {
  return release.replace(/[\d.]+/g, '');
}

/** By their numbers, one after the other. */
export function compareReleases(a: string, b: string): number {
  const [left, right] = [numbersOf(a), numbersOf(b)];
  const at = left.findIndex((part, at) => part !== (right[at] ?? 0n));
  if (at < 0) return left.length - right.length;
  return (left[at] ?? 0n) < (right[at] ?? 0n) ? -1 : 1;
}

function numbersOf(release: string): bigint[] {
  return release.match(/\d+/g)?.map(BigInt) ?? [];
}
