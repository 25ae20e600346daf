/**
 * segment-text: the text of a segment, compressed and back, and its lines.
 *
 * Written with zstd, which takes a quarter of gzip's time (bench/segments.ts); read in either.
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
import { Failure } from '../failure.ts';

/** Far beyond what a segment is ever written with; a few kilobytes must not become all of the memory. */
const maxTextBytes = 512 * 1024 * 1024;
/** Smaller than this, handing it to another thread costs more than doing it here. */
const smallBytes = 32 * 1024;
/** What another thread does comes in chunks, each with a wait for the event loop: few and large ones. */
const maxChunkBytes = 4 * 1024 * 1024;
const usualRatio = 16;
/** A merged segment takes half a second to go over: requests get their turn every few milliseconds. */
const linesAtATime = 256;
const lineFeed = 0x0a;

const compressElsewhere = promisify(zstdCompress);
const decompressors = {
  gz: { here: gunzipSync, elsewhere: promisify(gunzip) },
  zst: { here: zstdDecompressSync, elsewhere: promisify(zstdDecompress) },
};

/** @param level zstd's: a higher one takes longer and makes it smaller */
export async function compressText(text: Uint8Array, level: number): Promise<Uint8Array> {
  const options: ZstdOptions & { pledgedSrcSize: number } = {
    chunkSize: maxChunkBytes,
    // Then the frame's head tells it, which is what text-size.ts reads.
    pledgedSrcSize: text.length,
    params: {
      [constants.ZSTD_c_compressionLevel]: level,
      // Unlike gzip, zstd notices a flipped bit only when it is told to.
      [constants.ZSTD_c_checksumFlag]: 1,
    },
  };
  return text.length < smallBytes ? zstdCompressSync(text, options) : compressElsewhere(text, options);
}

/** @throws Failure CORRUPT that names the key */
export async function decompressText(key: string, body: Uint8Array): Promise<Buffer> {
  const { here, elsewhere } = decompressors[isGzip(key) ? 'gz' : 'zst'];
  try {
    if (body.length < smallBytes) return here(body, { maxOutputLength: maxTextBytes });
    const chunkSize = Math.min(body.length * usualRatio, maxChunkBytes);
    return await elsewhere(body, { maxOutputLength: maxTextBytes, chunkSize });
  } catch (cause) {
    throw new Failure('CORRUPT', `segment ${key} cannot be decompressed: ${messageOf(cause)}`, { cause });
  }
}

/** Those that are not empty, without their ends, each with its number counted from 1; some at a time. */
export async function* linesOf(text: Buffer): AsyncGenerator<{ line: Buffer; number: number }[]> {
  let lines: { line: Buffer; number: number }[] = [];
  let number = 0;
  for (let start = 0; start < text.length; ) {
    const found = text.indexOf(lineFeed, start);
    const end = found === -1 ? text.length : found;
    number += 1;
    if (end > start) lines.push({ line: text.subarray(start, end), number });
    start = end + 1;
    if (lines.length < linesAtATime) continue;
    yield lines;
    lines = [];
    await othersTurn();
  }
  yield lines;
}

export function isGzip(key: string): boolean {
  return key.endsWith('.gz');
}
