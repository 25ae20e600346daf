/** state-checks: whether what must outlive the agent can be kept, and what lies there already. */
import { access, constants, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { errorText } from '../error-text.ts';
import { readIdentity } from '../host-identity.ts';
import { look } from '../status/command.ts';
import { describeStatus, problemsOf } from '../status/describe-status.ts';
import { roughBytes } from '../status/rough.ts';
import { readSpoolFigures } from '../status/spool-figures.ts';
import { type Check, failed, ok, skipped, warning } from './check.ts';

const elsewhere = 'name a folder that this account may write to with --state, or give it this one with chown';
/** Below this hardly a report is kept. */
const hardlyAnyBytes = 16 * 2 ** 20;

export async function checkState(stateFolder: string): Promise<Check> {
  try {
    const found = await stat(stateFolder).catch(unlessMissing(null));
    if (found === null) {
      const parent = await nearest(stateFolder);
      await access(parent, constants.W_OK);
      return ok('state', `${stateFolder} is not there yet and can be made`);
    }
    const probe = join(stateFolder, `probe.${process.pid}.tmp`);
    try {
      await writeFile(probe, 'probe');
    } finally {
      await rm(probe, { force: true });
    }
    const id = (await readIdentity(stateFolder))?.id ?? null;
    return ok('state', `${stateFolder} can be written; ${id === null ? 'no host id yet' : `host id ${id}`}`);
  } catch (error) {
    return failed('state', `${stateFolder} cannot be used: ${errorText(error)}`, elsewhere);
  }
}

export async function checkDisk(stateFolder: string, spoolMaxBytes: number): Promise<Check> {
  try {
    const { bavail, bsize, files, ffree } = await statfs(await nearest(stateFolder));
    const free = bavail * bsize;
    const used = (await readSpoolFigures(stateFolder).catch(() => null))?.bytes ?? 0;
    const wanted = spoolMaxBytes - used;
    const todo = 'make room, set a smaller spool.maxSize, or name a folder on another disk with --state';
    if (files > 0 && ffree === 0)
      return failed('disk', 'no file can be made: the disk is out of inodes', todo);
    const detail = `${roughBytes(free)} are free, and the spool may take ${roughBytes(wanted)} more`;
    if (free < Math.min(hardlyAnyBytes, wanted)) return failed('disk', detail, todo);
    return free < wanted ? warning('disk', detail, todo) : ok('disk', detail);
  } catch (error) {
    return skipped('disk', `its space is not told: ${errorText(error)}`);
  }
}

export async function checkSpool(stateFolder: string): Promise<Check> {
  try {
    const { reports, bytes, deadLetters, damaged } = await readSpoolFigures(stateFolder);
    const waiting = `${reports} reports wait, ${roughBytes(bytes)}`;
    if (deadLetters + damaged === 0) return ok('spool', waiting);
    const folders = [
      deadLetters > 0 ? `${deadLetters} refused for good in dead-letter/, each with the reason` : null,
      damaged > 0 ? `${damaged} damaged in spool/damaged/` : null,
    ].filter((text) => text !== null);
    return warning('spool', [waiting, ...folders].join('; '), 'look at them, then remove them');
  } catch (error) {
    return failed('spool', `cannot be read: ${errorText(error)}`, 'run doctor as the account of the agent');
  }
}

/** @param now milliseconds since 1970 */
export async function checkAgent(stateFolder: string, now: number): Promise<Check> {
  try {
    const view = await look(stateFolder);
    const [line = ''] = describeStatus(view, now).split('\n');
    if (!view.isRunning) return warning('agent', problemsOf(view, now).join('; '), null);
    return ok('agent', line.replace(/^agent +/, ''));
  } catch (error) {
    return warning('agent', errorText(error), 'run doctor as the account of the agent');
  }
}

/** The folder itself, or the one above it that is there. */
async function nearest(folder: string): Promise<string> {
  const path = resolve(folder);
  const found = await stat(path).catch(unlessMissing(null));
  return found || dirname(path) === path ? path : nearest(dirname(path));
}

function unlessMissing<T>(instead: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === 'ENOENT') return instead;
    throw error;
  };
}
