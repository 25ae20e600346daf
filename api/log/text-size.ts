/**
 * text-size: how large the text of a segment is, told from a few bytes of it.
 */
import type { ByteRange, ObjectInfo } from '../bucket/bucket.ts';
import { isGzip } from './segment-text.ts';

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
