/**
 * recorded-hosts: runs plugins over recorded hosts, folders of files as they were on some host.
 *
 * Beside the files lie `node-os.json`, what `node:os` said there, and `expected.json`, the values of
 * each plugin's first collection.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkFacts } from '../../plugins/check-facts.ts';
import type { AnyPlugin, CollectContext } from '../../plugins/plugin.ts';

const folder = join(import.meta.dirname, '..', 'fixtures', 'hosts');

export const recordedHosts: readonly string[] = readdirSync(folder).sort();

export function hostRoot(host: string): string {
  return join(folder, host);
}

export function hostFile(host: string, path: string): string {
  return readFileSync(join(folder, host, path), 'utf8');
}

/** The values that a plugin is to give for a host, every declared one. */
export function expectedValues(host: string, plugin: string): Record<string, unknown> {
  return JSON.parse(hostFile(host, 'expected.json'))[plugin];
}

export function collectContext(root: string, cache = new Map<string, unknown>()): CollectContext {
  return { root, cache, options: undefined, signal: new AbortController().signal };
}

/**
 * Collects, and completes the values as agent and server do.
 *
 * @throws Error that lists what does not fit the plugin's own declaration
 */
export async function collectChecked(
  plugin: AnyPlugin,
  context: CollectContext,
): Promise<Record<string, unknown>> {
  const { values, problems, undeclared } = checkFacts(
    { ...plugin.facts, ...plugin.readings },
    await plugin.collect(context),
  );
  if (problems.length > 0 || undeclared.length > 0) {
    throw new Error(
      `${plugin.name} gave what it does not declare: ${JSON.stringify({ problems, undeclared })}`,
    );
  }
  return values;
}
