/** quantities: scalars for amounts that people write with a unit: `4GiB`, `90s`. */
import { formatDuration, parseDuration } from '../../plugins/duration.ts';
import type { Builder } from '../builder.ts';

const prefixes = ['', 'k', 'M', 'G', 'T', 'P'] as const;
const units = new Map<string, number>(
  prefixes.flatMap((prefix, power) => [
    [`${prefix}b`.toLowerCase(), 1000 ** power],
    [`${prefix}ib`.toLowerCase(), 1024 ** power],
  ]),
);

/** A number of bytes, of a number or of a text such as `4GiB` or `500 MB`; null for anything else. */
export function parseBytes(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value : null;
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(String(value)) ?? [];
  const factor = unit === '' ? 1 : units.get(unit.toLowerCase());
  return amount === undefined || factor === undefined ? null : Number(amount) * factor;
}

/** Seconds, of a number of them or of a text such as `90s`; null for anything else. */
export function parseSeconds(value: unknown): number | null {
  if (typeof value !== 'number' && typeof value !== 'string') return null;
  const ms = parseDuration(value);
  return ms === null ? null : ms / 1000;
}

export function defineQuantities(builder: Builder): void {
  builder.scalarType('Bytes', {
    description:
      'A number of bytes, or a text with a unit: "4GiB" and "512 MiB" in powers of 1024, "4GB" in those of 1000.',
    serialize: (value) => value,
    parseValue: (value) => required(parseBytes(value), value, 'a number of bytes such as 4096 or "4GiB"'),
  });
  builder.scalarType('Duration', {
    description: `A number of seconds, or a text with a unit: "${formatDuration(90_000)}", "5m", "2h", "7d".`,
    serialize: (value) => value,
    parseValue: (value) =>
      required(parseSeconds(value), value, 'a number of seconds or a text such as "90s"'),
  });
}

function required(parsed: number | null, value: unknown, wanted: string): number {
  if (parsed !== null) return parsed;
  throw new TypeError(`not ${wanted}: ${JSON.stringify(value)}`);
}
