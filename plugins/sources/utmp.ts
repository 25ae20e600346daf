/**
 * utmp: reads the binary session records of glibc's utmp(5).
 *
 * The record is as the machine's C library lays it out. Its first 336 bytes are the same everywhere;
 * after them session and time are 32 bits wide on most machines and 64 on a few.
 */
import { isIP } from 'node:net';

export type Session = { user: string; line: string | null; host: string | null; startedAt: string | null };

export type Machine = { machine: string | null; endianness: 'BE' | 'LE' };

type Layout = { size: number; readSeconds(record: DataView, littleEndian: boolean): number };

const narrow: Layout = { size: 384, readSeconds: (record, le) => record.getInt32(340, le) };
const wide: Layout = { size: 400, readSeconds: (record, le) => Number(record.getBigInt64(344, le)) };

/** Where glibc did not have to keep 32-bit programs reading the same file. */
const wideMachines = new Set(['aarch64', 's390x', 'loongarch64', 'alpha', 'ia64']);

/** `ut_type` of a session of a person. */
const userProcess = 7;

/** Later than any session by thousands of years, and as far as a Date reaches in four digits. */
const maxSeconds = 253_402_300_799;

/** Sessions in the file's order. Records that make no sense are left out, and so is a torn last one. */
export function parseUtmp(bytes: Uint8Array, { machine, endianness }: Machine): Session[] {
  const littleEndian = endianness === 'LE';
  const { size, readSeconds } = layoutOf(bytes.length, machine);
  const sessions: Session[] = [];
  for (let at = 0; at + size <= bytes.length; at += size) {
    const record = new DataView(bytes.buffer, bytes.byteOffset + at, size);
    const user = textAt(record, 44, 32);
    if (record.getInt16(0, littleEndian) !== userProcess || user === null) continue;
    const seconds = readSeconds(record, littleEndian);
    const line = textAt(record, 8, 32);
    sessions.push({
      user,
      line,
      host: remoteHost(textAt(record, 76, 256), line),
      startedAt: seconds > 0 && seconds <= maxSeconds ? new Date(seconds * 1000).toISOString() : null,
    });
  }
  return sessions;
}

/**
 * The host a session came from. A local one has its display, terminal or multiplexer there instead:
 * `:0`, `tty2`, `login screen`, `tmux(812).%0`.
 */
export function remoteHost(host: string | null, line: string | null): string | null {
  if (!host || host === line) return null;
  return isIP(host) > 0 || /^[\p{L}\p{N}][\p{L}\p{N}._-]*$/u.test(host) ? host : null;
}

/** The length decides where it can: a 32-bit system may run on a 64-bit kernel. */
function layoutOf(length: number, machine: string | null): Layout {
  const [likely, other] = wideMachines.has(machine ?? '') ? [wide, narrow] : [narrow, wide];
  return length % likely.size !== 0 && length % other.size === 0 ? other : likely;
}

/** Ended by NUL, or by the end of its field. */
function textAt(record: DataView, at: number, length: number): string | null {
  const field = new Uint8Array(record.buffer, record.byteOffset + at, length);
  const end = field.indexOf(0);
  return new TextDecoder().decode(field.subarray(0, end < 0 ? length : end)).trim() || null;
}
