/**
 * configured-plugins: loads the plugins that a config names and has each check its own options.
 *
 * Collects every problem instead of stopping at the first, so that a config is put right in one go.
 * Here it is decided where a plugin's code runs: what comes with os-inspector in this thread, all else in one of its own.
 */
import { parseDuration } from '../plugins/duration.ts';
import { builtinPlugins } from '../plugins/index.ts';
import { loadPlugin } from '../plugins/load.ts';
import type { PluginDeclaration } from '../plugins/plugin.ts';
import { checkCommand } from './check-command.ts';
import { checkOptions } from './check-options.ts';
import type { PluginEntry } from './config.ts';
import { entryKey, stampOf } from './entry-key.ts';
import { observeThread, type ThreadObserver } from './isolation/observe-thread.ts';
import { inThisThread, type PluginSource } from './isolation/plugin-source.ts';
import { loadInWorker, PluginThreadError } from './isolation/worker-source.ts';
import { defaultLoadMs, LoadTimeoutError } from './load-within.ts';
import type { Problem } from './problem.ts';

/** A plugin ready to collect. Its options have passed its own schema. */
export type ConfiguredPlugin = {
  plugin: PluginDeclaration;
  timeoutMs: number;
  /** How long what it collected holds; null asks it for each report. */
  intervalMs: number | null;
  /** Which plugin it is: a reload may give the same one other times. */
  source: PluginSource;
  /** What it was made of: one of the same key would be the same, */
  key: string;
  /** as long as the files are that it was loaded from. */
  modules: { files: readonly string[]; stamp: string };
};

/** In config order; meant to be used only when there are no problems. */
export type LoadedPlugins = {
  plugins: ConfiguredPlugin[];
  problems: Problem[];
  /** What is no problem and still should be put right. */
  warnings: string[];
};

export type LoadOptions = {
  /** Time that each plugin has to load and to check its options. @default 30 seconds */
  loadMs?: number;
  /** Told what a plugin threw when nobody waited for it; `use` is the plugin as the config names it. */
  onStray(use: string, error: string): void;
  /** Of the config before: those that would be the same are taken over, with all they know. @default none */
  previous?: readonly ConfiguredPlugin[];
  /** Has plugins tell what they did: which processes they started, what they were refused. @default false */
  observe?: boolean;
};

/** @param folder where relative files and packages are looked up: the folder of the config file */
export async function loadConfiguredPlugins(
  entries: readonly PluginEntry[],
  folder: string,
  options: LoadOptions,
): Promise<LoadedPlugins> {
  // One for all built-in plugins: those who ask for it let them collect one after another.
  const observer = options.observe ? observeThread() : null;
  const loaded = await Promise.all(entries.map((entry) => loadOne(entry, folder, options, observer)));
  const plugins = loaded.flatMap(({ plugins }) => plugins);
  const problems = loaded.flatMap(({ problems }) => problems);
  // Options are checked side by side, and a file may be named twice.
  const warnings = [...new Set(loaded.flatMap(({ warnings }) => warnings))];
  problems.push(...needlessNames(entries), ...sameName(loaded, entries));
  return { plugins, problems, warnings };
}

async function loadOne(
  entry: PluginEntry,
  folder: string,
  options: LoadOptions,
  observer: ThreadObserver | null,
): Promise<LoadedPlugins> {
  const key = await entryKey(entry, folder, isBuiltIn(entry));
  const known = options.previous?.find((plugin) => plugin.key === key);
  if (known && known.modules.stamp === (await stampOf(known.modules.files))) {
    const plugin = configure(known.plugin, entry, known.source, key, known.modules);
    return { plugins: [plugin], problems: [], warnings: [] };
  }
  if (entry.use === 'exec') return loadCommand(entry, folder, key, observer);
  return isBuiltIn(entry) ? loadBuiltIn(entry, folder, key, observer) : loadOwn(entry, folder, key, options);
}

/** Those of the first whose plugins the others have not. */
export function without(
  plugins: readonly ConfiguredPlugin[],
  others: readonly ConfiguredPlugin[],
): ConfiguredPlugin[] {
  return plugins.filter(({ source }) => !others.some((other) => other.source === source));
}

/** Ends the threads of plugins that are not used any more. */
export async function closePlugins(plugins: readonly ConfiguredPlugin[]): Promise<void> {
  await Promise.all(plugins.map(({ source }) => source.close?.()));
}

function isBuiltIn({ use }: PluginEntry): boolean {
  return Object.hasOwn(builtinPlugins, use);
}

async function loadBuiltIn(
  entry: PluginEntry,
  folder: string,
  key: string,
  observer: ThreadObserver | null,
): Promise<LoadedPlugins> {
  const { use, options: given, path, memoryBytes } = entry;
  const plugin = await loadPlugin(use, folder);
  const { options, problems, warnings } = await checkOptions(plugin, given, optionsPath(entry));
  // A user's plugin without a schema takes what it gets; a built-in one would not even look at it.
  const unknown = plugin.options ? [] : Object.keys(given);
  const message = `unknown key, ${use} takes no options`;
  problems.push(...unknown.map((key) => ({ path: [...optionsPath(entry), key].join('.'), message })));
  if (memoryBytes !== null) {
    const why = `${use} comes with os-inspector and runs in the agent's own memory: leave it out`;
    problems.push({ path: [...path.slice(0, 2), 'memory'].join('.'), message: why });
  }
  const source = inThisThread(plugin, options, { observer });
  return { plugins: [configure(plugin, entry, source, key)], problems, warnings };
}

/** The command itself is no code of ours: it runs in a process of its own. */
async function loadCommand(
  entry: PluginEntry,
  folder: string,
  key: string,
  observer: ThreadObserver | null,
): Promise<LoadedPlugins> {
  const { plugin, undeclared, ...found } = await checkCommand(entry, folder);
  if (plugin === null) return { plugins: [], ...found };
  const source = inThisThread(plugin, undefined, { undeclared, observer });
  return { plugins: [configure(plugin, entry, source, key)], ...found };
}

async function loadOwn(
  entry: PluginEntry,
  folder: string,
  key: string,
  options: LoadOptions,
): Promise<LoadedPlugins> {
  const { use, path } = entry;
  const { loadMs = defaultLoadMs, onStray, observe = false } = options;
  const task = { use, folder, options: entry.options, optionsPath: optionsPath(entry), observe };
  const memoryBytes = entry.memoryBytes ?? defaultMemoryBytes;
  try {
    const loaded = await loadInWorker({ task, memoryBytes, loadMs, onStray });
    const { declaration, source, files, problems, warnings } = loaded;
    const modules = { files, stamp: await stampOf(files) };
    return { plugins: [configure(declaration, entry, source, key, modules)], problems, warnings };
  } catch (error) {
    const isLate = error instanceof LoadTimeoutError;
    if (!isLate && !(error instanceof PluginThreadError)) throw error;
    const message = isLate ? `plugin ${use} ${error.message}` : error.message;
    return { plugins: [], problems: [{ path: path.join('.'), message }], warnings: [] };
  }
}

/** Of which 20 are what Node, zod and the eraser of types take. */
const defaultMemoryBytes = 128 * 2 ** 20;

function configure(
  plugin: PluginDeclaration,
  entry: PluginEntry,
  source: PluginSource,
  key: string,
  modules: ConfiguredPlugin['modules'] = { files: [], stamp: '' },
): ConfiguredPlugin {
  const own = plugin.interval === undefined ? null : parseDuration(plugin.interval);
  return { plugin, timeoutMs: entry.timeoutMs, intervalMs: entry.intervalMs ?? own, source, key, modules };
}

function optionsPath({ path }: PluginEntry): string[] {
  return [...path.slice(0, 2), 'options'];
}

/** Every other plugin has a name of its own. */
function needlessNames(entries: readonly PluginEntry[]): Problem[] {
  return entries
    .filter(({ use, name }) => use !== 'exec' && name !== null)
    .map(({ use, path }) => {
      const message = `${use} has a name of its own: only "exec" takes one`;
      return { path: [...path.slice(0, 2), 'name'].join('.'), message };
    });
}

/** Two files may declare one name, which the config alone does not show. */
function sameName(loaded: readonly LoadedPlugins[], entries: readonly PluginEntry[]): Problem[] {
  const names = loaded.map(({ plugins }) => plugins[0]?.plugin.name);
  return names.flatMap((name, i) => {
    const first = names.indexOf(name);
    if (name === undefined || first === i) return [];
    if (entries[i]?.use === entries[first]?.use && entries[i]?.use !== 'exec') return [];
    const message = `is also called ${JSON.stringify(name)}, like plugins.${first}: a name is used once`;
    return [{ path: `plugins.${i}`, message }];
  });
}
