/**
 * spool-entry: one report as it lies in the spool: a line of JSON that tells what follows, then the report as JSON,
 * compressed with zstd. `tail -n +2 FILE | zstd -d` shows it.
 */
import { hash } from 'node:crypto';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { z } from 'zod';
import { errorText } from '../error-text.ts';
import type { SubmitReportInput } from '../report.ts';

/** Raised when a reader of the old form could misread the new one. */
const format = 1;
const lineFeed = 0x0a;

/** Keys that a later version adds are no damage. */
const headerSchema = z.object({
  format: z.literal(format),
  /** Of the compressed report, in hexadecimal. */
  sha256: z.string(),
  compressedBytes: z.int(),
  /** Of the report as JSON text. */
  textBytes: z.int(),
  /** That the report carries: whoever drops it has to carry it on. */
  droppedReports: z.int(),
});
type Header = z.output<typeof headerSchema>;

/** It is not as it was written; the message says how that shows. */
export class DamagedEntryError extends Error {
  override name = 'DamagedEntryError';
}

export function encodeEntry(report: SubmitReportInput): Buffer {
  const text = Buffer.from(JSON.stringify(report));
  const body = zstdCompressSync(text);
  const header: Header = {
    format,
    sha256: hash('sha256', body, 'hex'),
    compressedBytes: body.length,
    textBytes: text.length,
    droppedReports: report.droppedReports,
  };
  return Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), body]);
}

/** @throws DamagedEntryError when the first line is not what it should be */
export function readHeader(entry: Buffer): Header {
  return takeApart(entry).header;
}

/** @throws DamagedEntryError */
export function decodeEntry(entry: Buffer): { report: SubmitReportInput; textBytes: number } {
  const { header, body } = takeApart(entry);
  if (body.length !== header.compressedBytes) {
    throw new DamagedEntryError(`it has ${body.length} bytes instead of ${header.compressedBytes}`);
  }
  if (hash('sha256', body, 'hex') !== header.sha256) throw new DamagedEntryError('its checksum is wrong');
  try {
    // Written here alone, and what its checksum confirms is what was written.
    const report = JSON.parse(zstdDecompressSync(body).toString()) as SubmitReportInput;
    return { report, textBytes: header.textBytes };
  } catch (cause) {
    throw new DamagedEntryError(errorText(cause), { cause });
  }
}

function takeApart(entry: Buffer): { header: Header; body: Buffer } {
  const end = entry.indexOf(lineFeed);
  try {
    const header = headerSchema.parse(JSON.parse(entry.subarray(0, Math.max(0, end)).toString()));
    return { header, body: entry.subarray(end + 1) };
  } catch (cause) {
    throw new DamagedEntryError(`its first line is not that of a report, format ${format}`, { cause });
  }
}
