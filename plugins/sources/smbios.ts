/**
 * smbios: reads the structures in which firmware describes memory, DMTF DSP0134 chapters 7.17 and 7.18.
 *
 * Words for numbers are the standard's own. Whatever a structure is too short for is null.
 */

type Structure = { type: number; body: DataView; strings: string[] };

export type MemoryArray = { slots: number | null; maxBytes: number | null; ecc: string | null };

export type MemoryModule = {
  locator: string | null;
  bank: string | null;
  sizeBytes: number | null;
  type: string | null;
  formFactor: string | null;
  speedMts: number | null;
  configuredSpeedMts: number | null;
  manufacturer: string | null;
  partNumber: string | null;
  serial: string | null;
};

export type SmbiosMemory = { arrays: MemoryArray[]; modules: MemoryModule[] };

/** Arrays of slots that hold system memory, and the modules in them; empty slots are left out. */
export function parseSmbiosMemory(table: Uint8Array): SmbiosMemory {
  const structures = splitStructures(table);
  return {
    arrays: structures.filter(isSystemMemory).map(toArray),
    modules: structures
      .filter(({ type }) => type === 17)
      .map(toModule)
      .filter((module) => module !== null),
  };
}

const endOfTable = 127;

/** Each is a type, a length, a handle and fields, then strings that end with U+0000, then one more. Ends where torn. */
function splitStructures(table: Uint8Array): Structure[] {
  const structures: Structure[] = [];
  const buffer = Buffer.from(table.buffer, table.byteOffset, table.byteLength);
  for (let at = 0; at + 4 <= buffer.length; ) {
    const [type = 0, length = 0] = buffer.subarray(at, at + 2);
    const stringsAt = at + length;
    const end = buffer.indexOf('\0\0', stringsAt, 'latin1');
    if (length < 4 || stringsAt + 2 > buffer.length || end < 0 || type === endOfTable) break;
    const strings = buffer.toString('latin1', stringsAt, end).split('\0');
    structures.push({ type, body: new DataView(table.buffer, table.byteOffset + at, length), strings });
    at = end + 2;
  }
  return structures;
}

const systemMemory = 0x03;

function isSystemMemory({ type, body }: Structure): boolean {
  return type === 16 && byte(body, 0x05) === systemMemory;
}

const inExtendedField = 0x80000000;

function toArray({ body }: Structure): MemoryArray {
  const kibibytes = dword(body, 0x07);
  const extended = body.byteLength >= 0x17 ? Number(body.getBigUint64(0x0f, true)) : null;
  const bytes = kibibytes === inExtendedField ? extended : kibibytes && kibibytes * 1024;
  return {
    slots: word(body, 0x0d),
    maxBytes: Number.isSafeInteger(bytes) ? bytes || null : null,
    ecc: eccWords[byte(body, 0x06) ?? 0] ?? null,
  };
}

/** Null for an empty slot. */
function toModule({ body, strings }: Structure): MemoryModule | null {
  const size = word(body, 0x0c);
  if (size === 0) return null;
  const text = (offset: number) => strings[(byte(body, offset) ?? 0) - 1]?.trim() || null;
  return {
    locator: text(0x10),
    bank: text(0x11),
    sizeBytes: toSize(size, dword(body, 0x1c)),
    type: memoryTypes[byte(body, 0x12) ?? 0] ?? null,
    formFactor: formFactors[byte(body, 0x0e) ?? 0] ?? null,
    speedMts: toSpeed(word(body, 0x15), dword(body, 0x54)),
    configuredSpeedMts: toSpeed(word(body, 0x20), dword(body, 0x58)),
    manufacturer: text(0x17),
    partNumber: text(0x1a),
    serial: text(0x18),
  };
}

/** Megabytes, or kilobytes when the top bit is set; sizes from 32 GB on have a field of their own. */
function toSize(size: number | null, extendedMegabytes: number | null): number | null {
  if (size === null || size === 0xffff) return null;
  if (size === 0x7fff) return extendedMegabytes && (extendedMegabytes & 0x7fffffff) * 1024 ** 2;
  return size & 0x8000 ? (size & 0x7fff) * 1024 : size * 1024 ** 2;
}

function toSpeed(speed: number | null, extended: number | null): number | null {
  return (speed === 0xffff ? extended : speed) || null;
}

function byte(body: DataView, offset: number): number | null {
  return offset < body.byteLength ? body.getUint8(offset) : null;
}

function word(body: DataView, offset: number): number | null {
  return offset + 2 <= body.byteLength ? body.getUint16(offset, true) : null;
}

function dword(body: DataView, offset: number): number | null {
  return offset + 4 <= body.byteLength ? body.getUint32(offset, true) : null;
}

const eccWords: Readonly<Record<number, string>> = {
  3: 'none',
  4: 'parity',
  5: 'single-bit ECC',
  6: 'multi-bit ECC',
  7: 'CRC',
};

const formFactors: Readonly<Record<number, string>> = {
  3: 'SIMM',
  5: 'Chip',
  9: 'DIMM',
  11: 'Row of chips',
  12: 'RIMM',
  13: 'SODIMM',
  15: 'FB-DIMM',
  16: 'Die',
  17: 'CAMM',
};

const memoryTypes: Readonly<Record<number, string>> = {
  3: 'DRAM',
  7: 'RAM',
  15: 'SDRAM',
  18: 'DDR',
  19: 'DDR2',
  20: 'DDR2 FB-DIMM',
  24: 'DDR3',
  26: 'DDR4',
  27: 'LPDDR',
  28: 'LPDDR2',
  29: 'LPDDR3',
  30: 'LPDDR4',
  31: 'Logical non-volatile device',
  32: 'HBM',
  33: 'HBM2',
  34: 'DDR5',
  35: 'LPDDR5',
  36: 'HBM3',
};
