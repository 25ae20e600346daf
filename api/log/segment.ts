/**
 * segment: encodes reports as compressed NDJSON, one whole report a line, and back.
 */
import { messageOf } from '../../plugins/message-of.ts';
import { Failure } from '../failure.ts';
import { compressText, decompressText, linesOf } from './segment-text.ts';
import { parseStoredReport, type StoredReport } from './stored-report.ts';

/** A segment that is in the bucket. */
export type Segment = { key: string; reports: readonly StoredReport[] };

/** A segment as it was read: its lines, without their ends, which nobody has looked at yet. */
export type StoredSegment = { key: string; lines: readonly string[] };

/** A report, and the line that it is written as, without its end. */
export type EncodedReport = { report: StoredReport; line: string };

/**
 * The line of a report, and the report as that line will be read.
 *
 * They differ from what was given where text has half a surrogate pair, as where it was cut: JSON.stringify
 * writes that as an escape that other readers of the bucket refuse, and the whole line with it, so it
 * becomes U+FFFD.
 */
export function encodeReport(report: StoredReport): EncodedReport {
  const line = JSON.stringify(report);
  // Whole pairs are written as they are, so an escape of this range is always half of one.
  if (!line.includes('\\ud')) return { report, line };
  // Escapes are taken one by one: a backslash that is itself escaped does not begin one.
  const mended = line.replace(/\\(?:u(d[89a-f][0-9a-f]{2})|.)/g, (whole, half) => (half ? '\ufffd' : whole));
  return { report: parseStoredReport(mended), line: mended };
}

/** @param level zstd's: a higher one takes longer and makes it smaller */
export async function encodeSegment(reports: readonly EncodedReport[], level = 1): Promise<Uint8Array> {
  return compressText(Buffer.from(`${reports.map(({ line }) => line).join('\n')}\n`), level);
}

/** @throws Failure CORRUPT that names the key, and the line where one can be named */
export async function decodeSegment(key: string, body: Uint8Array): Promise<Segment> {
  const reports: StoredReport[] = [];
  for await (const lines of linesOf(await decompressText(key, body))) {
    for (const { line, number } of lines) reports.push(decodeLine(key, line.toString('utf8'), number));
  }
  return { key, reports };
}

/** @throws Failure CORRUPT that names the key, when it cannot be decompressed */
export async function readSegment(key: string, body: Uint8Array): Promise<StoredSegment> {
  const all: string[] = [];
  for await (const lines of linesOf(await decompressText(key, body))) {
    // Line by line: as one string, a single character beyond Latin-1 would double the memory of all.
    for (const { line } of lines) all.push(line.toString('utf8'));
  }
  return { key, lines: all };
}

/** @throws Failure CORRUPT that names the key and the line, which are counted from 1 */
export function decodeLine(key: string, line: string, number: number): StoredReport {
  try {
    return parseStoredReport(line);
  } catch (cause) {
    throw new Failure('CORRUPT', `segment ${key} line ${number} is not a report: ${messageOf(cause)}`, {
      cause,
    });
  }
}
