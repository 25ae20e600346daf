/**
 * segment-lines: a segment as its lines, for whoever passes them on as they are.
 *
 * A line goes through a merge byte for byte: a newer version may have written fields that this one does not know.
 * Each is checked as when it is read, as one that no reader takes would take all others of a merged segment with it.
 */
import { setImmediate as othersTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  constants,
  gunzip,
  gunzipSync,
  type ZstdOptions,
  zstdCompress,
  zstdCompressSync,
  zstdDecompress,
  zstdDecompressSync,
} from 'node:zlib';
import { messageOf } from '../../plugins/message-of.ts';
import type { ByteRange, ObjectInfo } from '../bucket/bucket.ts';
import { Failure } from '../failure.ts';
import { parseStoredReport } from './stored-report.ts';

export type StoredLine = {
  id: string;
  hostId: string;
  /** Milliseconds since 1970. */
  receivedAt: number;
  /** UTF-8, without the line's end. */
  line: Uint8Array;
};

/** Far beyond what a segment is ever written with; a few kilobytes must not become all of the memory. */
const maxDecodedBytes = 512 * 1024 * 1024;
/** Smaller than this, handing it to another thread costs more than doing it here. */
const smallBytes = 32 * 1024;
/** What another thread does comes in chunks, each with a wait for the event loop: few and large ones. */
const chunkSize = 4 * 1024 * 1024;
/** A merged segment takes half a second to check: requests get their turn every few milliseconds. */
const linesAtATime = 256;
const lineFeed = 0x0a;

const compressElsewhere = promisify(zstdCompress);
const decompressors = {
  gz: { here: gunzipSync, elsewhere: promisify(gunzip) },
  zst: { here: zstdDecompressSync, elsewhere: promisify(zstdDecompress) },
};

/** @throws Failure CORRUPT that names the key, and the line where one can be named */
export async function decodeLines(key: string, body: Uint8Array): Promise<StoredLine[]> {
  const text = await decompress(key, body);
  const lines: StoredLine[] = [];
  let number = 0;
  for (let start = 0; start < text.length; ) {
    const found = text.indexOf(lineFeed, start);
    const end = found === -1 ? text.length : found;
    number += 1;
    if (end > start) lines.push(checkLine(key, text.subarray(start, end), number));
    start = end + 1;
    if (number % linesAtATime === 0) await othersTurn();
  }
  return lines;
}

/** @param level zstd's: a higher one takes longer and makes it smaller */
export async function encodeLines(lines: readonly StoredLine[], level: number): Promise<Uint8Array> {
  const end = Uint8Array.of(lineFeed);
  const text = Buffer.concat(lines.flatMap(({ line }) => [line, end]));
  const options: ZstdOptions & { pledgedSrcSize: number } = {
    chunkSize,
    // Then the frame's head tells it, which is what `toldTextBytes` reads.
    pledgedSrcSize: text.length,
    params: {
      [constants.ZSTD_c_compressionLevel]: level,
      // Unlike gzip, zstd notices a flipped bit only when it is told to.
      [constants.ZSTD_c_checksumFlag]: 1,
    },
  };
  return text.length < smallBytes ? zstdCompressSync(text, options) : compressElsewhere(text, options);
}

/** How many bytes of text a line takes. */
export function textBytesOf({ line }: StoredLine): number {
  return line.length + 1;
}

/** The part of an object that tells how large its text is. */
export function toldRange({ key, size }: ObjectInfo): ByteRange {
  return isGzip(key) ? { start: Math.max(0, size - 4) } : { start: 0, end: maxFrameHead };
}

/**
 * How many bytes of text a segment says that it holds; null where it does not say.
 *
 * @param told what lies at `toldRange`
 */
export function toldTextBytes(key: string, told: Uint8Array): number | null {
  const bytes = Buffer.from(told.buffer, told.byteOffset, told.byteLength);
  if (isGzip(key)) return bytes.length < 4 ? null : bytes.readUInt32LE(bytes.length - 4);
  return zstdContentSize(bytes);
}

/** @see https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1.1 */
const maxFrameHead = 18;
const zstdMagic = 0xfd2fb528;

function zstdContentSize(head: Buffer): number | null {
  if (head.length < maxFrameHead || head.readUInt32LE(0) !== zstdMagic) return null;
  const descriptor = head.readUInt8(4);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const dictionaryId = [0, 1, 2, 4][descriptor & 0x03] ?? 0;
  const at = 5 + (isSingleSegment ? 0 : 1) + dictionaryId;
  switch (descriptor >> 6) {
    case 0:
      return isSingleSegment ? head.readUInt8(at) : null;
    case 1:
      return head.readUInt16LE(at) + 256;
    case 2:
      return head.readUInt32LE(at);
    default:
      return Number(head.readBigUInt64LE(at));
  }
}

function isGzip(key: string): boolean {
  return key.endsWith('.gz');
}

async function decompress(key: string, body: Uint8Array): Promise<Buffer> {
  const { here, elsewhere } = decompressors[isGzip(key) ? 'gz' : 'zst'];
  try {
    if (body.length < smallBytes) return here(body, { maxOutputLength: maxDecodedBytes });
    return await elsewhere(body, { maxOutputLength: maxDecodedBytes, chunkSize });
  } catch (cause) {
    throw new Failure('CORRUPT', `segment ${key} cannot be decompressed: ${messageOf(cause)}`, { cause });
  }
}

function checkLine(key: string, line: Buffer, number: number): StoredLine {
  try {
    const { id, host, receivedAt } = parseStoredReport(line.toString('utf8'));
    return { id, hostId: host.id, receivedAt: Date.parse(receivedAt), line };
  } catch (cause) {
    throw new Failure('CORRUPT', `segment ${key} line ${number} is not a report: ${messageOf(cause)}`, {
      cause,
    });
  }
}
