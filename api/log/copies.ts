/**
 * copies: which of several copies of a report counts.
 *
 * The bucket may hold a report more than once: a put whose outcome was unknown had landed, or a merge was cut short.
 * Whoever reads the log goes by report id and by this rule. It depends on what the copies say and not on where they
 * lie or in which order they are read, so that all readers agree.
 */
export type Copy = {
  /** Milliseconds since 1970. */
  receivedAt: number;
  /** Its line as stored; without the line's end. */
  line: string | Uint8Array;
};

/**
 * Orders copies of one report: the first counts. Received first; at the same millisecond, the one whose line sorts
 * first by its bytes in UTF-8. Copies that are equal in both are the same.
 */
export function compareCopies(a: Copy, b: Copy): number {
  return a.receivedAt - b.receivedAt || Buffer.compare(bytesOf(a.line), bytesOf(b.line));
}

function bytesOf(line: string | Uint8Array): Uint8Array {
  return typeof line === 'string' ? Buffer.from(line) : line;
}
