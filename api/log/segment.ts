/**
 * segment: encodes reports as gzipped NDJSON, and back.
 *
 * gzip, because everything that reads NDJSON from a bucket reads `.ndjson.gz` without being told.
 */
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { messageOf } from '../../plugins/message-of.ts';
import { Failure } from '../failure.ts';
import { parseStoredReport, type StoredReport } from './stored-report.ts';

/** A segment that is in the bucket. */
export type Segment = { key: string; reports: readonly StoredReport[] };

/** Far beyond what a segment is ever written with; a few kilobytes must not become all of the memory. */
const maxDecodedBytes = 512 * 1024 * 1024;

const compress = promisify(gzip);
const decompress = promisify(gunzip);

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

export async function encodeSegment(reports: readonly EncodedReport[]): Promise<Uint8Array> {
  return compress(`${reports.map(({ line }) => line).join('\n')}\n`);
}

/** @throws Failure CORRUPT that names the key, and the line where one can be named */
export async function decodeSegment(key: string, body: Uint8Array): Promise<Segment> {
  let lines: string[];
  try {
    const text = (await decompress(body, { maxOutputLength: maxDecodedBytes })).toString('utf8');
    lines = text.split('\n').filter((line) => line !== '');
  } catch (cause) {
    throw new Failure('CORRUPT', `segment ${key} cannot be decompressed: ${messageOf(cause)}`, { cause });
  }
  return { key, reports: lines.map((line, index) => decodeLine(key, line, index + 1)) };
}

function decodeLine(key: string, line: string, number: number): StoredReport {
  try {
    return parseStoredReport(line);
  } catch (cause) {
    throw new Failure('CORRUPT', `segment ${key} line ${number} is not a report: ${messageOf(cause)}`, {
      cause,
    });
  }
}
