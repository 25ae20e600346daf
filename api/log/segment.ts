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

/** The line of one report, without its end. */
export function encodeReport(report: StoredReport): string {
  return JSON.stringify(report);
}

/** @param lines as `encodeReport` makes them */
export async function encodeSegment(lines: readonly string[]): Promise<Uint8Array> {
  return compress(`${lines.join('\n')}\n`);
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
