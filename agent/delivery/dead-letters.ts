/**
 * dead-letters: reports that the API refused and always will, each a file with the reason, for people to look at.
 */
import { join } from 'node:path';
import { makeFolder } from '../make-folder.ts';
import type { SubmitReportInput } from '../report.ts';
import { writeDurably } from '../write-durably.ts';
import { type FolderBounds, trimFolder } from './bounded-folder.ts';

/** Enough to see what is wrong; they are all wrong in the same way. */
export const deadLetterBounds: FolderBounds = { maxFiles: 100, maxBytes: 16 * 1024 * 1024 };

/** What a file holds. */
export type DeadLetter = { refusedAt: string; reason: string; report: SubmitReportInput };

/**
 * @param refusedAt milliseconds since 1970
 * @returns the path of the file
 */
export async function writeDeadLetter(
  folder: string,
  report: SubmitReportInput,
  reason: string,
  refusedAt: number,
): Promise<string> {
  await makeFolder(folder, 0o700);
  const path = join(folder, `${report.id}.json`);
  const letter: DeadLetter = { refusedAt: new Date(refusedAt).toISOString(), reason, report };
  const file = { path, temporary: `${path}.${process.pid}.tmp`, mode: 0o600 };
  await writeDurably(file, `${JSON.stringify(letter, null, 2)}\n`);
  await trimFolder(folder, deadLetterBounds);
  return path;
}
