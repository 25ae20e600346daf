/**
 * recorded-hosts: runs plugins over recorded hosts, folders of files as they were on some host.
 *
 * Beside the files lie `node-os.json`, what `node:os` said there, and `expected.json`, the values of
 * each plugin's first collection; of a plugin that it does not name, nothing is expected there.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkFacts } from '../../plugins/check-facts.ts';
import type { AnyPlugin, CollectContext } from '../../plugins/plugin.ts';
import { withListedFiles } from './listed-files.ts';

const folder = join(import.meta.dirname, '..', 'fixtures', 'hosts');

export const recordedHosts: readonly string[] = readdirSync(folder).sort();

/** The host's files: its folder, or a copy of it with those that its `files.json` lists. */
export function hostRoot(host: string): string {
  return withListedFiles(join(folder, host));
}

export function hostFile(host: string, path: string): string {
  return readFileSync(join(folder, host, path), 'utf8');
}

/** The values that a plugin is to give for a host, every declared one; none for a plugin that does not apply there. */
export function expectedValues(host: string, plugin: string): Record<string, unknown> {
  return JSON.parse(hostFile(host, 'expected.json'))[plugin] ?? {};
}

export function collectContext(root: string, cache = new Map<string, unknown>()): CollectContext {
  return { root, cache, options: undefined, signal: new AbortController().signal };
}

/**
 * Collects with the plugin's default options unless told others, and completes the values as agent and server do;
 * none when the plugin does not apply.
 *
 * @throws Error that lists what does not fit the plugin's own declaration
 */
export async function collectChecked(
  plugin: AnyPlugin,
  context: CollectContext,
): Promise<Record<string, unknown>> {
  const options = plugin.options ? plugin.options.parse(context.options ?? {}) : context.options;
  const collected = await plugin.collect({ ...context, options });
  if (collected === null) return {};
  const { values, problems, undeclared } = checkFacts({ ...plugin.facts, ...plugin.readings }, collected);
  if (problems.length > 0 || undeclared.length > 0) {
    throw new Error(
      `${plugin.name} gave what it does not declare: ${JSON.stringify({ problems, undeclared })}`,
    );
  }
  return values;
}
