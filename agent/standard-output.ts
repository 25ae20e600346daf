/**
 * standard-output: keeps standard output for what the agent itself says.
 *
 * What a config or a plugin prints, by console.log or otherwise, goes to standard error, so that a report stays JSON, `success` stays one line and the log stays one object a line.
 */
import { OperatorError } from './error-text.ts';

/** Standard output cannot be written to, a full disk for example. */
export class OutputError extends OperatorError {
  override name = 'OutputError';
}

/**
 * Takes standard output away from everyone else; to be called before anything of a user's is loaded.
 *
 * @returns what writes text to it, and throws OutputError when that fails; a reader that has seen enough
 * (`… plugins | head`) is no failure, and what comes after is dropped
 */
export function claimStandardOutput(): (text: string) => Promise<void> {
  const { stdout, stderr } = process;
  const write = stdout.write.bind(stdout);
  stdout.write = stderr.write.bind(stderr);
  // Whoever writes is told by its own callback; where even errors cannot be shown, there is nothing to do.
  stdout.on('error', () => {});
  stderr.on('error', () => {});
  let hasReader = true;
  return (text) =>
    new Promise((resolve, reject) => {
      if (!hasReader) return resolve();
      write(text, (error: NodeJS.ErrnoException | null | undefined) => {
        if (error?.code === 'EPIPE') hasReader = false;
        if (!error || !hasReader) resolve();
        else reject(new OutputError(`cannot write to standard output: ${error.message}`, { cause: error }));
      });
    });
}
