/**
 * run-program: runs a program of the user's to its end, bounded in what it prints, and ends it with all it started.
 *
 * Unlike `run-command`, which asks programs that the host may or may not have, every failure here is an error.
 */
import { spawn } from 'node:child_process';

export type Program = { program: string; args: readonly string[]; cwd: string; env: NodeJS.ProcessEnv };

/** The API takes sixteen times that for a whole report. */
const maxOutputBytes = 1024 * 1024;
/** Enough for the first line. */
const maxErrorBytes = 8_192;

const hasGroups = process.platform !== 'win32';

/**
 * Returns what it wrote to standard output. Whatever it left running in its process group is killed.
 *
 * @throws Error with its exit code and the first line of its standard error; the reason of `signal` once that is aborted
 */
export function runProgram({ program, args, cwd, env }: Program, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    // Detached, it leads a process group of its own, which can be killed as one.
    const child = spawn(program, args, {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: hasGroups,
      windowsHide: true,
    });
    const output: Buffer[] = [];
    let outputBytes = 0;
    let errors = '';

    function killAll(): void {
      try {
        if (child.pid !== undefined && hasGroups) process.kill(-child.pid, 'SIGKILL');
        else child.kill('SIGKILL');
      } catch {
        // all of them are gone
      }
    }
    function fail(error: unknown): void {
      signal.removeEventListener('abort', onAbort);
      killAll();
      // A process that left the group may hold them open for ever.
      // Where none could be made they are not there, whatever their types say.
      child.stdout?.destroy();
      child.stderr?.destroy();
      reject(error);
    }
    function onAbort(): void {
      fail(signal.reason);
    }

    signal.addEventListener('abort', onAbort, { once: true });
    child.on('error', (error) => fail(explain(error, program)));
    child.stdout?.on('data', (chunk: Buffer) => {
      outputBytes += chunk.length;
      if (outputBytes > maxOutputBytes)
        fail(new Error(`${program} printed more than ${maxOutputBytes} bytes`));
      else output.push(chunk);
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      if (errors.length < maxErrorBytes) errors += chunk.toString();
    });
    child.on('exit', killAll);
    child.on('close', (code, endedBy) => {
      signal.removeEventListener('abort', onAbort);
      if (code === 0) return resolve(Buffer.concat(output).toString());
      const line = errors.split('\n').find((line) => line.trim() !== '');
      const why = code === null ? `was ended by ${endedBy}` : `failed with exit code ${code}`;
      reject(new Error(`${program} ${why}${line ? `: ${line.trim()}` : ''}`));
    });
  });
}

function explain(error: NodeJS.ErrnoException, program: string): Error {
  const reasons: Record<string, string> = {
    ENOENT: 'there is no such program, or the one that its first line names is not there',
    EACCES: 'the agent has no right to run it: is it executable (chmod +x)?',
  };
  return new Error(`cannot run ${program}: ${reasons[error.code ?? ''] ?? error.message}`);
}
