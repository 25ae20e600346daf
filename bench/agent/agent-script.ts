/** agent-script: which form of the agent is measured: what was compiled, where that was built, else the sources. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../../test/support/process.ts';

const compiled = 'dist/agent/main.js';

/** Relative to the repository. */
export function agentScript(): string {
  return existsSync(join(repository, compiled)) ? compiled : 'agent/main.ts';
}
