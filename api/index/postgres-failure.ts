/** postgres-failure: tells errors that time or the operator can mend from our own bugs. */
import { messageOf } from '../../plugins/message-of.ts';
import { Failure } from '../failure.ts';

/**
 * SQLSTATE classes: 08 connection, 53 resources (disk full, too many connections), 57 operator (shutdown, crash,
 * cancelled), 58 system; 28 and 3D: the server refuses this user or has no such database; 25006 a standby.
 */
const states = /^(?:08|53|57|58|28|3D)...$|^25006$/;
const systemCodes = /^E[A-Z]+$/;
/** What pg says without a code. */
const messages =
  /^(?:Connection terminated|Client has encountered a connection error|timeout exceeded|Query read timeout|The server does not support)/;

export function toPostgresFailure(cause: unknown): unknown {
  if (cause instanceof Failure || !(cause instanceof Error)) return cause;
  // Several addresses of one name that all fail.
  const first = cause instanceof AggregateError ? (cause.errors[0] ?? cause) : cause;
  const code = 'code' in first ? String(first.code) : '';
  if (!states.test(code) && !systemCodes.test(code) && !messages.test(messageOf(first))) return cause;
  return new Failure('UNAVAILABLE', `the index in PostgreSQL does not answer: ${messageOf(first)}`, {
    cause,
  });
}
