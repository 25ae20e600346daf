/** process: real child processes, waited for by what they print, never by the clock. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';

export const repository = fileURLToPath(new URL('../../', import.meta.url));

export type Running = {
  child: ChildProcess;
  /** All it printed until now, both streams. */
  output(): string;
  /** Resolves to the match once the output has it; rejects when the process ends without. */
  waitFor(pattern: RegExp): Promise<RegExpExecArray>;
  /** Its exit code; null after a signal. */
  exit(): Promise<number | null>;
};

export type Command = { env?: Record<string, string | undefined>; cwd?: string };

/** Starts a program, which is killed when the test file is done, should it still run. */
export function start(
  program: string,
  args: readonly string[],
  { env, cwd = repository }: Command = {},
): Running {
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  let ended = false;
  const watchers = new Set<() => void>();
  const changed = () => {
    for (const watcher of watchers) watcher();
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      changed();
    });
  }
  const closed = once(child, 'close').then(([code]) => {
    ended = true;
    changed();
    return code as number | null;
  });
  afterAll(async () => {
    child.kill('SIGKILL');
    await closed;
  });
  return {
    child,
    output: () => text,
    exit: () => closed,
    waitFor: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = pattern.exec(text);
          if (!found && !ended) return;
          watchers.delete(look);
          if (found) resolve(found);
          else reject(new Error(`${program} ${args.join(' ')} ended without ${pattern}:\n${text}`));
        };
        watchers.add(look);
        look();
      }),
  };
}

/** Runs a program to its end. */
export async function run(program: string, args: readonly string[], command: Command = {}) {
  const running = start(program, args, command);
  const code = await running.exit();
  return { code, output: running.output() };
}

/** The Node that runs the tests, which is the project's own. */
export const node = process.execPath;
