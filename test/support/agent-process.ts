/** agent-process: runs the agent's command line as a real process, with an environment of its own. */
import { join } from 'node:path';
import { type Exit, node, type Running, repository, start } from './process.ts';

export type AgentOptions = {
  cwd: string;
  env?: Record<string, string>;
  /** What Node runs. @default agent/main.ts */
  script?: string;
  /** Arguments of Node itself. */
  nodeArgs?: string[];
};

/** Starts it; its state folder is `<cwd>/state`. */
export function startAgent(args: string[], options: AgentOptions): Running {
  const { cwd, env = {}, script = 'agent/main.ts', nodeArgs = [] } = options;
  return start(node, [...nodeArgs, join(repository, script), ...args], {
    cwd,
    ownEnvironment: false,
    env: { PATH: process.env.PATH, HOME: cwd, STATE_DIRECTORY: join(cwd, 'state'), ...env },
  });
}

/** Runs it to its end. */
export function runAgent(args: string[], options: AgentOptions): Promise<Exit> {
  return startAgent(args, options).exit;
}
