/** outputs: where the packages of the agent are written, and what this build is of. */
import { join, resolve } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };

export const repository = resolve(import.meta.dirname, '../..');

export const { version } = packageJson;

const dist = join(repository, 'dist');

export const outputs = {
  bundle: join(dist, 'os-inspector-agent.js'),
  executable: join(dist, process.platform === 'win32' ? 'os-inspector-agent.exe' : 'os-inspector-agent'),
  dist,
} as const;
