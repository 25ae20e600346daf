/** agent-process: runs the agent's command line as a real process, with an environment of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export type AgentOptions = {
  cwd: string;
  env?: Record<string, string>;
  /** What Node runs. @default agent/main.ts */
  script?: string;
  /** Arguments of Node itself. */
  nodeArgs?: string[];
};

export type AgentExit = { code: number | null; signal: string | null; stdout: string; stderr: string };

export type AgentProcess = {
  child: ChildProcess;
  /** Resolves when the process has ended and its output is whole. */
  exit: Promise<AgentExit>;
};

const checkout = join(import.meta.dirname, '../..');

/** Starts it; killed when the test ends, whatever became of it. Its state folder is `<cwd>/state`. */
export function startAgent(args: string[], options: AgentOptions): AgentProcess {
  const { cwd, env = {}, script = 'agent/main.ts', nodeArgs = [] } = options;
  const child = spawn(process.execPath, [...nodeArgs, join(checkout, script), ...args], {
    cwd,
    env: { PATH: process.env.PATH, HOME: cwd, STATE_DIRECTORY: join(cwd, 'state'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => {
    output.stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output.stderr += chunk;
  });
  const exit = new Promise<AgentExit>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, ...output }));
  });
  return { child, exit };
}

/** Runs it to its end. */
export function runAgent(args: string[], options: AgentOptions): Promise<AgentExit> {
  return startAgent(args, options).exit;
}
