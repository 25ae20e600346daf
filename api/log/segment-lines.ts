/**
 * segment-lines: a segment as its lines, for whoever passes them on as they are.
 *
 * A line goes through a merge byte for byte: a newer version may have written fields that this one does not know.
 * Each is checked as when it is read, as one that no reader takes would take all others of a merged segment with it.
 */
import { decodeLine } from './segment.ts';
import { compressText, decompressText, linesOf } from './segment-text.ts';

export type StoredLine = {
  id: string;
  hostId: string;
  /** Milliseconds since 1970. */
  receivedAt: number;
  /** UTF-8, without the line's end. */
  line: Uint8Array;
};

/** @throws Failure CORRUPT that names the key, and the line where one can be named */
export async function decodeLines(key: string, body: Uint8Array): Promise<StoredLine[]> {
  const checked: StoredLine[] = [];
  for await (const lines of linesOf(await decompressText(key, body))) {
    for (const { line, number } of lines) {
      const { id, host, receivedAt } = decodeLine(key, line.toString('utf8'), number);
      checked.push({ id, hostId: host.id, receivedAt: Date.parse(receivedAt), line });
    }
  }
  return checked;
}

/** @param level zstd's: a higher one takes longer and makes it smaller */
export async function encodeLines(lines: readonly StoredLine[], level: number): Promise<Uint8Array> {
  const end = Buffer.from('\n');
  return compressText(Buffer.concat(lines.flatMap(({ line }) => [line, end])), level);
}

/** How many bytes of text a line takes. */
export function textBytesOf({ line }: StoredLine): number {
  return line.length + 1;
}
