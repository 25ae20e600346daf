/**
 * container-layer: what tells one container from another of the same image: the layer that its own changes go to.
 *
 * Source: the upper folder of the overlay that a folder is on, by /proc/self/mountinfo. A volume is on none, so what is
 * kept there has no layer and belongs to whichever container has the volume.
 */
import { readFile, realpath } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** The path of the layer outside the container; null where the folder is on no overlay. */
export async function readContainerLayer(folder: string): Promise<string | null> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  return layerOf(await nearestReal(resolve(folder)), mounts);
}

/** @param mountinfo see proc_pid_mountinfo(5) */
export function layerOf(folder: string, mountinfo: string): string | null {
  let longest = { point: '', layer: null as string | null };
  for (const line of mountinfo.split('\n')) {
    const [left = '', right = ''] = line.split(' - ');
    const point = unescaped(left.split(' ')[4] ?? '');
    const isAbove =
      point !== '' && (folder === point || folder.startsWith(point === '/' ? '/' : `${point}/`));
    // Of mounts on one place the last is on top.
    if (!isAbove || point.length < longest.point.length) continue;
    const [type, , options = ''] = right.split(' ');
    const upper = options.split(',').find((option) => option.startsWith('upperdir='));
    longest = { point, layer: type === 'overlay' && upper ? upper.slice('upperdir='.length) : null };
  }
  return longest.layer;
}

/** The folder is not there before the first start. */
async function nearestReal(folder: string): Promise<string> {
  const found = await realpath(folder).catch(() => null);
  return found ?? (dirname(folder) === folder ? folder : nearestReal(dirname(folder)));
}

function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 8)));
}
