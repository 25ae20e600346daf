/**
 * rpm-header: reads the header in which rpm keeps all it knows of a package.
 *
 * Two numbers (index entries, bytes of data), the index (tag, type, offset and count of each), then the data;
 * numbers are big-endian. See https://rpm-software-management.github.io/rpm/manual/format_header.html.
 */
import type { InstalledPackage } from './installed-package.ts';

/** As rpm's own list of tags has them. */
const tags = {
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  size: 1009,
  architecture: 1022,
  sourceRpm: 1044,
  longSize: 5009,
} as const;
const types = { int32: 4, int64: 5, string: 6 } as const;
const entryBytes = 16;
/** Half the bytes of a header tell which files it has; its own index is short. */
const maxEntries = 10_000;

const decoder = new TextDecoder();

/** The package that it tells of; null for a damaged header, and for the keys that rpm keeps among the packages. */
export function parseRpmHeader(header: Uint8Array): InstalledPackage | null {
  const fields = readFields(header);
  const name = textOf(fields?.get(tags.name));
  const version = textOf(fields?.get(tags.version));
  if (!fields || !name || !version || name === 'gpg-pubkey') return null;
  const release = textOf(fields.get(tags.release));
  const epoch = numberOf(fields.get(tags.epoch));
  const sourceRpm = textOf(fields.get(tags.sourceRpm));
  return {
    name,
    version: `${epoch ? `${epoch}:` : ''}${version}${release ? `-${release}` : ''}`,
    architecture: textOf(fields.get(tags.architecture)),
    manager: 'rpm',
    source: sourceRpm && sourceName(sourceRpm),
    sizeBytes: numberOf(fields.get(tags.longSize)) ?? numberOf(fields.get(tags.size)),
  };
}

/** `bash-5.1.8-9.el9.src.rpm` without version, release and ending; null for what is not so made. */
export function sourceName(sourceRpm: string): string | null {
  return /^(.+)-[^-]+-[^-]+\.(?:no)?src\.rpm$/.exec(sourceRpm)?.[1] ?? null;
}

const wanted = new Set<number>(Object.values(tags));

function readFields(header: Uint8Array): Map<number, string | number> | null {
  if (header.length < 8) return null;
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const entries = view.getUint32(0);
  const data = 8 + entries * entryBytes;
  if (entries > maxEntries || data > header.length) return null;
  const fields = new Map<number, string | number>();
  for (let at = 8; at < data; at += entryBytes) {
    const tag = view.getUint32(at);
    if (!wanted.has(tag)) continue;
    const value = readValue(header, view, view.getUint32(at + 4), data + view.getUint32(at + 8));
    if (value !== null) fields.set(tag, value);
  }
  return fields;
}

/** The first of the values; null for a type that none of the wanted tags has, and past the end. */
function readValue(header: Uint8Array, view: DataView, type: number, at: number): string | number | null {
  if (type === types.string) {
    const end = header.indexOf(0, at);
    return end < at ? null : decoder.decode(header.subarray(at, end));
  }
  if (type === types.int32) return at + 4 > header.length ? null : view.getUint32(at);
  if (type === types.int64) return at + 8 > header.length ? null : Number(view.getBigUint64(at));
  return null;
}

function textOf(value: string | number | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function numberOf(value: string | number | undefined): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : null;
}
