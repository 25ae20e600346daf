/**
 * run-command: asks a program of the host, where no file tells.
 *
 * Only the machine's own root has programs that speak of it: of a file system that is mounted elsewhere nothing can be asked,
 * and a recorded host answers with what was recorded in its `commands.json` (standard output by command line).
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRecordedHost } from './node-os.ts';

/** More than the packages of any distribution take. */
const maxOutputBytes = 32 * 1024 * 1024;

/** The same words and numbers on every host, whatever its language. */
const environment = { LC_ALL: 'C', LANGUAGE: 'C' };

/** `root` and `signal` are those of the plugin's context. */
export type CommandContext = { root: string; signal: AbortSignal };

/**
 * Returns what the program wrote to standard output; null where there is no such program, or nobody to ask.
 *
 * @param accept exit codes, beside 0, with which what it wrote counts
 * @throws Error with the first line of its standard error when it failed; the reason of `signal` once that is aborted
 */
export async function runCommand(
  program: string,
  args: readonly string[],
  { root, signal }: CommandContext,
  accept: readonly number[] = [],
): Promise<string | null> {
  signal.throwIfAborted();
  if (root !== '/') return recordedOutput(root, [program, ...args].join(' '));
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...environment };
    const options = { env, signal, maxBuffer: maxOutputBytes, killSignal: 'SIGKILL' } as const;
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (signal.aborted) reject(signal.reason);
      else if (error === null || accept.includes(Number(error.code))) resolve(stdout.replaceAll('\0', ''));
      else if (isMissing(error)) resolve(null);
      else
        reject(
          new Error(`${program} failed: ${stderr.trim().split('\n')[0] || error.message}`, { cause: error }),
        );
    });
    child.stdin?.end();
  });
}

/** Not installed, or not for us. */
function isMissing({ code }: { code?: unknown }): boolean {
  return code === 'ENOENT' || code === 'EACCES' || code === 'ENOTDIR';
}

async function recordedOutput(root: string, commandLine: string): Promise<string | null> {
  if (!(await isRecordedHost(root))) return null;
  const recorded = await readFile(join(root, 'commands.json'), 'utf8').catch(() => '{}');
  return (JSON.parse(recorded) as Record<string, string>)[commandLine] ?? null;
}
