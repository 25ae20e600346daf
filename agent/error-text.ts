/** error-text: says in one bounded line what went wrong, whatever was thrown. */

/** Enough for any message worth reading, and too little for a dump of data to swamp a report or a log. */
const maxLength = 1_000;

/** An error whose message is complete: it names the cause, and says to the operator what to do. */
export class OperatorError extends Error {
  override name = 'OperatorError';
}

/**
 * Never throws and never returns the empty text, whatever it is given. What no database can hold,
 * halves of surrogate pairs and U+0000, is replaced or left out.
 */
export function errorText(thrown: unknown): string {
  const line =
    describe(thrown).replaceAll('\0', '').replace(/\s+/g, ' ').trim() || 'failed without a message';
  // The cut may go through a pair, and the other half may have been missing from the start.
  return (line.length <= maxLength ? line : `${line.slice(0, maxLength - 1)}…`).toWellFormed();
}

function describe(thrown: unknown): string {
  try {
    if (!(thrown instanceof Error))
      return String(typeof thrown === 'object' ? JSON.stringify(thrown) : thrown);
    const message = thrown.message || thrown.name;
    const isComplete = thrown instanceof OperatorError;
    const cause = !isComplete && thrown.cause instanceof Error ? thrown.cause.message : '';
    return cause && !message.includes(cause) ? `${message}: ${cause}` : message;
  } catch {
    return 'threw a value that cannot be shown';
  }
}
