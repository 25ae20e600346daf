/**
 * dmi: shapes what firmware tells of the system into facts, its fillers left out.
 */

/** What makers leave in fields that they should have filled in; lower case, as a whole. */
const fillers = new Set([
  ...['to be filled by o.e.m.', 'to be filled by o.e.m', 'default string', 'not specified'],
  ...['not available', 'not applicable', 'not defined', 'none', 'null', 'unknown', 'undefined'],
  ...['invalid', 'empty', 'n/a', 'na', 'oem', 'o.e.m.', 'no asset tag', 'no asset information'],
  ...['no enclosure', 'asset-1234567890', '0123456789', '123456789', 'type1productconfigid'],
  ...['system manufacturer', 'system product name', 'system version', 'system serial number'],
  ...['system sku', 'sku', 'base board manufacturer', 'base board product name'],
  ...['base board serial number', 'chassis manufacture', 'chassis manufacturer', 'chassis version'],
  ...['chassis serial number'],
]);

/** Null for empty text, fillers, and text of one character repeated such as `0000` or `xxxx`. */
export function dmiText(text: string | null | undefined): string | null {
  const trimmed = text?.replaceAll('\uFFFD', '').trim() ?? '';
  const isFiller = fillers.has(trimmed.toLowerCase()) || /^([0xX.\-_* ])\1*$/.test(trimmed);
  return isFiller ? null : trimmed || null;
}

/** What many boards have whose maker set none. */
const fillerUuid = '03000200-0400-0500-0006-000700080009';

/** In lower case; null for what is no UUID, for those of zeros or ones, which stand for none, and for a known filler. */
export function dmiUuid(text: string | null | undefined): string | null {
  const uuid = text?.trim().toLowerCase() ?? '';
  const isUuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(uuid);
  return isUuid && uuid !== fillerUuid && !/^(?:[0-]+|[f-]+)$/.test(uuid) ? uuid : null;
}

/** `03/31/2025`, as firmware has it, in the order that sorts. */
export function dmiDate(text: string | null | undefined): string | null {
  const [, month, day, year] =
    /^(0[1-9]|1[0-2])\/(0[1-9]|[12]\d|3[01])\/((?:19|20)\d{2})$/.exec(text ?? '') ?? [];
  return year ? `${year}-${month}-${day}` : null;
}

/** The number of a chassis, in the words of SMBIOS (DMTF DSP0134, 7.4.1). */
export function chassisType(digits: string | null | undefined): string | null {
  const number = /^\d{1,3}$/.test(digits ?? '') ? Number(digits) & 0x7f : 0;
  return chassisWords[number - 1] ?? null;
}

/** From 1 on; null for "other" and "unknown". */
const chassisWords = [
  ...[null, null, 'desktop', 'low profile desktop', 'pizza box', 'mini tower', 'tower', 'portable'],
  ...['laptop', 'notebook', 'hand held', 'docking station', 'all in one', 'sub notebook'],
  ...['space-saving', 'lunch box', 'main server chassis', 'expansion chassis', 'sub chassis'],
  ...['bus expansion chassis', 'peripheral chassis', 'RAID chassis', 'rack mount chassis'],
  ...['sealed-case PC', 'multi-system chassis', 'compact PCI', 'advanced TCA', 'blade'],
  ...['blade enclosure', 'tablet', 'convertible', 'detachable', 'IoT gateway', 'embedded PC'],
  ...['mini PC', 'stick PC'],
] as const;
