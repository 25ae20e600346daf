/** version: which release of os-inspector this is, from sources and from `dist` alike. */
import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';

/** Read when asked for, so that a command that does not show it need not. */
export function agentVersion(): string {
  const path = findPackageJSON(import.meta.url);
  if (path === undefined) throw new Error('the package.json of os-inspector is missing beside its code');
  return JSON.parse(readFileSync(path, 'utf8')).version;
}
