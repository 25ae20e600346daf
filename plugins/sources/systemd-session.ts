/**
 * systemd-session: reads the files in which systemd-logind keeps its sessions, /run/systemd/sessions/*.
 *
 * They are what is left where utmp is gone (Debian 13 and whoever builds without it).
 */
import { parseAssignments } from './shell-assignments.ts';
import { remoteHost, type Session } from './utmp.ts';

/** The session of a person; null for login screens, service managers and sessions that are closing. */
export function parseSystemdSession(file: string): Session | null {
  const { USER, CLASS, STATE, TTY, DISPLAY, REMOTE_HOST, REALTIME } = parseAssignments(file);
  if (!USER || !CLASS?.startsWith('user') || STATE === 'closing') return null;
  const line = TTY || DISPLAY || null;
  return {
    user: USER,
    line,
    host: remoteHost(REMOTE_HOST || null, line),
    startedAt: fromMicroseconds(REALTIME),
  };
}

/** Names of session files; beside them lie FIFOs (`3.ref`), which must not be opened. */
export function isSystemdSessionName(name: string): boolean {
  return /^[a-z]?\d+$/.test(name);
}

function fromMicroseconds(digits: string | undefined): string | null {
  return digits && /^\d{10,17}$/.test(digits)
    ? new Date(Math.floor(Number(digits) / 1000)).toISOString()
    : null;
}
