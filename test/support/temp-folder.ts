/** temp-folder: a folder of a test's own, gone when the test file is done. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'os-inspector-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
