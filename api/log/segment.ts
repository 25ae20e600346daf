/**
 * segment: encodes reports as compressed NDJSON, and back.
 *
 * Written with zstd, which takes a quarter of gzip's time (bench/segments.ts); read in either.
 */
import { setImmediate as othersTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { constants, gunzip, gunzipSync, zstdCompress, zstdDecompress, zstdDecompressSync } from 'node:zlib';
import { messageOf } from '../../plugins/message-of.ts';
import { Failure } from '../failure.ts';
import { parseStoredReport, type StoredReport } from './stored-report.ts';

/** A segment that is in the bucket. */
export type Segment = { key: string; reports: readonly StoredReport[] };

/** A segment as it was read: its lines, without their ends, which nobody has looked at yet. */
export type StoredSegment = { key: string; lines: readonly string[] };

/** Far beyond what a segment is ever written with; a few kilobytes must not become all of the memory. */
const maxDecodedBytes = 512 * 1024 * 1024;

/** Smaller than this, handing it to another thread costs more than decompressing it. */
const smallBytes = 32 * 1024;
/** What another thread decompresses comes in chunks, each with a wait for the event loop: few and large ones. */
const maxChunkBytes = 4 * 1024 * 1024;
const usualRatio = 16;

/** A merged segment takes half a second to parse: requests get their turn every few milliseconds. */
const linesAtATime = 256;
const lineFeed = 0x0a;

const compress = promisify(zstdCompress);
const decompressors = {
  gz: { here: gunzipSync, elsewhere: promisify(gunzip) },
  zst: { here: zstdDecompressSync, elsewhere: promisify(zstdDecompress) },
};

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
  return compress(`${reports.map(({ line }) => line).join('\n')}\n`, {
    params: {
      [constants.ZSTD_c_compressionLevel]: level,
      // Unlike gzip, zstd notices a flipped bit only when it is told to.
      [constants.ZSTD_c_checksumFlag]: 1,
    },
  });
}

/** @throws Failure CORRUPT that names the key, and the line where one can be named */
export async function decodeSegment(key: string, body: Uint8Array): Promise<Segment> {
  const { lines } = await readSegment(key, body);
  return { key, reports: lines.map((line, index) => decodeLine(key, line, index + 1)) };
}

/** @throws Failure CORRUPT that names the key, when it cannot be decompressed */
export async function readSegment(key: string, body: Uint8Array): Promise<StoredSegment> {
  const text = await decompressText(key, body);
  const lines: string[] = [];
  for (let start = 0; start < text.length; ) {
    const found = text.indexOf(lineFeed, start);
    const end = found === -1 ? text.length : found;
    // Line by line: as one string, a single character beyond Latin-1 would double the memory of all.
    lines.push(text.toString('utf8', start, end));
    start = end + 1;
    if (lines.length % linesAtATime === 0) await othersTurn();
  }
  return { key, lines: lines.filter((line) => line !== '') };
}

async function decompressText(key: string, body: Uint8Array): Promise<Buffer> {
  const { here, elsewhere } = decompressors[key.endsWith('.gz') ? 'gz' : 'zst'];
  try {
    if (body.length < smallBytes) return here(body, { maxOutputLength: maxDecodedBytes });
    const chunkSize = Math.min(body.length * usualRatio, maxChunkBytes);
    return await elsewhere(body, { maxOutputLength: maxDecodedBytes, chunkSize });
  } catch (cause) {
    throw new Failure('CORRUPT', `segment ${key} cannot be decompressed: ${messageOf(cause)}`, { cause });
  }
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
