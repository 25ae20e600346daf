/** process: real child processes, waited for by what they print, never by the clock. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { whenFileIsDone } from './cleanup.ts';

export const repository = join(import.meta.dirname, '../..');

/** The Node that runs the tests, which is the project's own. */
export const node = process.execPath;

export type Exit = {
  /** Null after a signal. */
  code: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
};

export type Running = {
  child: ChildProcess;
  /** All it printed until now, both streams as they came. */
  output(): string;
  /** Resolves to the match once the output has it; rejects when the process ends without. */
  waitFor(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves when the process has ended and its output is whole. */
  exit: Promise<Exit>;
};

export type Command = {
  /** @default the repository */
  cwd?: string;
  /** Added to this process's own environment, or all there is with `ownEnvironment: false`. */
  env?: Record<string, string | undefined>;
  ownEnvironment?: boolean;
  /** User and group to run as, which only root may choose. @default those of this process */
  user?: number;
};

/** Starts a program, which is killed when the test file is done, should it still run. */
export function start(program: string, args: readonly string[], command: Command = {}): Running {
  const { env, cwd = repository, ownEnvironment = true, user } = command;
  const child = spawn(program, args, {
    cwd,
    env: { ...(ownEnvironment ? process.env : {}), ...env },
    ...(user === undefined ? {} : { uid: user, gid: user }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const text = { both: '', stdout: '', stderr: '' };
  let ended = false;
  const watchers = new Set<() => void>();
  const changed = () => {
    for (const watcher of watchers) watcher();
  };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk;
      text.both += chunk;
      changed();
    });
  }
  // A program that is not there is an exit as well, and its error is what it printed.
  child.on('error', (error) => {
    text.stderr += error.message;
  });
  const exit = new Promise<Exit>((resolve) => {
    child.on('close', (code, signal) => {
      ended = true;
      changed();
      resolve({ code, signal, stdout: text.stdout, stderr: text.stderr });
    });
  });
  whenFileIsDone(async () => {
    child.kill('SIGKILL');
    await exit;
  });
  return {
    child,
    output: () => text.both,
    exit,
    waitFor: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = pattern.exec(text.both);
          if (!found && !ended) return;
          watchers.delete(look);
          if (found) resolve(found);
          else reject(new Error(`${program} ${args.join(' ')} ended without ${pattern}:\n${text.both}`));
        };
        watchers.add(look);
        look();
      }),
  };
}

/** Runs a program to its end. */
export function run(program: string, args: readonly string[], command?: Command): Promise<Exit> {
  return start(program, args, command).exit;
}
