/** agent-script: which form of the agent is measured: the bundle, where `npm run package:bundle` made it, else the sources. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../../test/support/process.ts';

const bundle = 'dist/os-inspector-agent.js';

/** Relative to the repository. */
export function agentScript(): string {
  return existsSync(join(repository, bundle)) ? bundle : 'agent/main.ts';
}
