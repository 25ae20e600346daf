/**
 * meminfo: reads /proc/meminfo, /proc/swaps and the pressure files.
 */
import { wholeBytes, wholeNumber } from './whole-number.ts';

/** Looks up one line of /proc/meminfo; null when the kernel does not have it. */
export type MemInfo = {
  bytes(name: string): number | null;
  count(name: string): number | null;
};

/** Amounts are in kB, which means 1024 bytes; huge pages are counted and have no unit. */
export function parseMemInfo(meminfo: string): MemInfo {
  const lines = [...meminfo.matchAll(/^([^:\s]+): +(\d+)( kB)?$/gm)];
  const amounts = new Map(lines.filter(([, , , unit]) => unit).map(([, name, digits]) => [name, digits]));
  const counts = new Map(lines.filter(([, , , unit]) => !unit).map(([, name, digits]) => [name, digits]));
  return {
    bytes: (name) => wholeBytes(amounts.get(name), 1024),
    count: (name) => wholeNumber(counts.get(name)),
  };
}

export type SwapDevice = { device: string; type: string; totalBytes: number | null; priority: number };

/**
 * Lines of /proc/swaps: name, type, size and use in kB, priority, parted by tabs and blanks. Blanks in a name are
 * written as `\040`; lines that are not whole are left out, and so are those whose swap file was deleted.
 */
export function parseSwaps(swaps: string): SwapDevice[] {
  return [...swaps.matchAll(/^(\/\S*)[ \t]+([a-z]+)[ \t]+(\d+)[ \t]+\d+[ \t]+(-?\d{1,6})$/gm)].map(
    ([, device = '', type = '', size, priority]) => ({
      device: unescapeOctal(device),
      type,
      totalBytes: wholeBytes(size, 1024),
      priority: Number(priority),
    }),
  );
}

/** What the kernel writes in place of blanks and line ends in names: `\040`. */
export function unescapeOctal(name: string): string {
  return name.replace(/\\([0-3][0-7]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

type Shares = [ten: number | null, sixty: number | null, threeHundred: number | null];

/** `some avg10=0.12 avg60=0.05 avg300=0.00 total=12345`, in percent; shares from 0 to 1 are returned. */
export function parsePressure(pressure: string | null, line: 'some' | 'full'): Shares {
  const found = new RegExp(`^${line} avg10=([\\d.]+) avg60=([\\d.]+) avg300=([\\d.]+) `, 'm').exec(
    pressure ?? '',
  );
  const [ten = null, sixty = null, threeHundred = null] = found?.slice(1).map(share) ?? [];
  return [ten, sixty, threeHundred];
}

/** Rounded to what the kernel tells, hundredths of a percent. */
function share(percent: string): number | null {
  const value = Math.round(Number(percent) * 100) / 10_000;
  return value >= 0 && value <= 1 ? value : null;
}
