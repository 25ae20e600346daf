/**
 * recorded-hosts: runs plugins over recorded hosts, folders of files as they were on some host.
 *
 * Beside the files lie `node-os.json`, what `node:os` said there, and `expected.json`, the values of
 * each plugin's first collection; of a plugin that it does not name, nothing is expected there. Where it matters when a
 * file was written, `modified.json` tells it by path: a checkout does not keep it.
 */
import { existsSync, readdirSync, readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { checkFacts } from '../../plugins/check-facts.ts';
import type { AnyPlugin, CollectContext } from '../../plugins/plugin.ts';
import { withListedFiles } from './listed-files.ts';

const folder = join(import.meta.dirname, '..', 'fixtures', 'hosts');

export const recordedHosts: readonly string[] = readdirSync(folder).sort();

/** The host's files: its folder, or a copy of it with those that its `files.json` lists. */
export function hostRoot(host: string): string {
  const root = withListedFiles(join(folder, host));
  if (existsSync(join(root, 'modified.json'))) restoreTimes(root);
  return root;
}

function restoreTimes(root: string): void {
  const times: Record<string, string> = JSON.parse(readFileSync(join(root, 'modified.json'), 'utf8'));
  for (const [path, time] of Object.entries(times))
    utimesSync(join(root, path), new Date(time), new Date(time));
}

export function hostFile(host: string, path: string): string {
  return readFileSync(join(folder, host, path), 'utf8');
}

/** The values that a plugin is to give for a host, every declared one; null where it has nothing to report. */
export function expectedValues(host: string, plugin: string): Record<string, unknown> | null {
  return JSON.parse(hostFile(host, 'expected.json'))[plugin] ?? null;
}

export function collectContext(root: string, cache = new Map<string, unknown>()): CollectContext {
  return { root, cache, options: undefined, signal: new AbortController().signal };
}

/**
 * Collects with the plugin's default options unless told others, and completes the values as agent and server do;
 * none when the plugin does not apply.
 *
 * @throws Error that lists what does not fit the plugin's own declaration, or says that there is nothing to report
 */
export async function collectChecked(
  plugin: AnyPlugin,
  context: CollectContext,
): Promise<Record<string, unknown>> {
  const values = await collectIfAny(plugin, context);
  if (values === null) throw new Error(`${plugin.name} has nothing to report`);
  return values;
}

/** The same, but null when there is nothing to report on that host. */
export async function collectIfAny(
  plugin: AnyPlugin,
  context: CollectContext,
): Promise<Record<string, unknown> | null> {
  const options = plugin.options ? plugin.options.parse(context.options ?? {}) : context.options;
  const collected = await plugin.collect({ ...context, options });
  if (collected === null) return null;
  const { values, problems, undeclared } = checkFacts({ ...plugin.facts, ...plugin.readings }, collected);
  if (problems.length > 0 || undeclared.length > 0) {
    throw new Error(
      `${plugin.name} gave what it does not declare: ${JSON.stringify({ problems, undeclared })}`,
    );
  }
  return values;
}
