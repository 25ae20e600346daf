/**
 * sea: makes the agent a single executable: a copy of the Node that runs this, with the bundle inside.
 *
 * It is for the platform it is made on. macOS runs it only once it is signed: `codesign --sign - FILE`.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { buildBundle } from './bundle.ts';
import { outputs } from './outputs.ts';

const starter = join(import.meta.dirname, 'bundled/executable.cjs');

/**
 * @param bundle what `buildBundle` wrote
 * @param file where the executable is written
 */
export async function buildExecutable(bundle: string, file: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'os-inspector-sea-'));
  try {
    const config = join(folder, 'sea.json');
    const settings = {
      main: starter,
      output: file,
      disableExperimentalSEAWarning: true,
      // The starter is there twice: as what runs first, and as text for the threads.
      assets: { 'os-inspector-agent.js': bundle, [basename(starter)]: starter },
    };
    await writeFile(config, JSON.stringify(settings));
    await promisify(execFile)(process.execPath, ['--build-sea', config]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  await buildBundle(outputs.bundle);
  await buildExecutable(outputs.bundle, outputs.executable);
  process.stdout.write(`wrote ${outputs.executable}: it needs no Node\n`);
}
