/**
 * pacman-desc: reads a `desc` file of pacman: `%NAME%`, a line for each value, a blank line.
 */
import { type InstalledPackage, sizeOf } from './installed-package.ts';

const section = /^%([A-Z]+)%\n(.*)$/gm;

/** The package that it describes; null when it describes none. */
export function parsePacmanDesc(desc: string): InstalledPackage | null {
  const values: Record<string, string> = {};
  for (const [, name = '', value = ''] of desc.matchAll(section)) values[name] ??= value.trim();
  const name = values.NAME;
  if (!name) return null;
  return {
    name,
    version: values.VERSION || null,
    architecture: values.ARCH || null,
    manager: 'pacman',
    source: values.BASE || null,
    sizeBytes: sizeOf(values.SIZE),
  };
}
