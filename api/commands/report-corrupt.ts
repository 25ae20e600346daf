/** report-corrupt: what a command says of segments that it had to leave out. */
import type { Failure } from '../failure.ts';

/** Names what could not be read. @returns the exit code */
export function reportCorrupt(corrupt: readonly Failure[]): number {
  for (const failure of corrupt) process.stderr.write(`os-inspector-api: set aside: ${failure.message}\n`);
  return corrupt.length > 0 ? 1 : 0;
}
