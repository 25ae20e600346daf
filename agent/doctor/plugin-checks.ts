/** plugin-checks: runs each plugin once, and tells what it brought, what it was refused, and why it failed. */
import { createCollector } from '../collect.ts';
import type { ConfiguredPlugin } from '../configured-plugins.ts';
import { type Check, failed, ok, skipped, warning } from './check.ts';

const shownPaths = 4;

export async function checkPlugin(
  configured: ConfiguredPlugin,
  root: string,
  stop: AbortSignal,
): Promise<Check> {
  const name = `plugin ${configured.plugin.name}`;
  const collector = createCollector([configured], { root, platform: process.platform });
  const [result] = await collector.collect(stop);
  if (!result) return skipped(name, 'was not asked');
  const { status, error, durationMs } = result;
  const denied = deniedPaths(configured.source.observed?.()?.denied ?? []);
  const refused = denied.length > 0 ? `may not read ${denied.join(', ')}` : null;
  if (status === 'ERROR' || status === 'TIMEOUT') {
    const what = [`${status}: ${error}`, refused].filter((text) => text !== null).join('; ');
    return failed(name, what, refused ? moreRights() : hintFor(status, configured.plugin.name));
  }
  if (refused) return warning(name, refused, moreRights());
  if (status === 'SKIPPED') return ok(name, 'has nothing to report on this host');
  return ok(name, `OK in ${durationMs?.toFixed(1)} ms`);
}

function moreRights(): string {
  const how =
    process.getuid?.() === 0
      ? 'this container, or a security module such as AppArmor, keeps them from root: run the agent on the host'
      : 'run the agent as root, or with CAP_DAC_READ_SEARCH and CAP_SYS_PTRACE';
  return `some of its facts stay null: ${how}, or leave it so`;
}

function hintFor(status: 'ERROR' | 'TIMEOUT', plugin: string): string {
  return status === 'TIMEOUT'
    ? 'raise its "timeout" in the config, or leave it out'
    : `try it by itself with "os-inspector-agent plugins test ${plugin}"`;
}

/** Those of one kind together: a folder of each process is one line. */
export function deniedPaths(paths: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const path of paths) {
    const kind = path.replace(/\/\d+(?=\/|$)/g, '/*');
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  const all = [...counts].map(([kind, count]) => (count === 1 ? kind : `${kind} (${count} times)`));
  if (all.length <= shownPaths) return all;
  return [...all.slice(0, shownPaths), `${all.length - shownPaths} more`];
}
