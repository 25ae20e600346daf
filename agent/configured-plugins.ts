/**
 * configured-plugins: loads the plugins that a config names and has each check its own options.
 *
 * Collects every problem instead of stopping at the first, so that a config is put right in one go.
 */
import { builtinPlugins } from '../plugins/index.ts';
import { loadPlugin, PluginLoadError } from '../plugins/load.ts';
import type { AnyPlugin } from '../plugins/plugin.ts';
import type { PluginEntry } from './config.ts';
import { errorText } from './error-text.ts';
import { defaultLoadMs, LoadTimeoutError, loadWithin } from './load-within.ts';
import { type Problem, toProblems } from './problem.ts';

/** A plugin ready to collect. `options` have passed the plugin's own schema. */
export type ConfiguredPlugin = { plugin: AnyPlugin; timeoutMs: number; options: unknown };

/** In config order; meant to be used only when there are no problems. */
export type LoadedPlugins = { plugins: ConfiguredPlugin[]; problems: Problem[] };

/**
 * @param folder where relative files and packages are looked up: the folder of the config file
 * @param loadMs time that each plugin has to load and to check its options
 */
export async function loadConfiguredPlugins(
  entries: readonly PluginEntry[],
  folder: string,
  loadMs = defaultLoadMs,
): Promise<LoadedPlugins> {
  const loaded = await Promise.all(entries.map((entry) => loadOne(entry, folder, loadMs)));
  const plugins = loaded.flatMap(({ plugins }) => plugins);
  return { plugins, problems: [...loaded.flatMap(({ problems }) => problems), ...sameName(loaded, entries)] };
}

async function loadOne(entry: PluginEntry, folder: string, loadMs: number): Promise<LoadedPlugins> {
  try {
    return await loadWithin(loadMs, async () => {
      const plugin = await loadPlugin(entry.use, folder);
      const { options, problems } = await checkOptions(plugin, entry);
      return { plugins: [{ plugin, timeoutMs: entry.timeoutMs, options }], problems };
    });
  } catch (error) {
    const isLate = error instanceof LoadTimeoutError;
    if (!isLate && !(error instanceof PluginLoadError)) throw error;
    const message = isLate ? `plugin ${entry.use} ${error.message}` : errorText(error);
    return { plugins: [], problems: [{ path: entry.path.join('.'), message }] };
  }
}

async function checkOptions(
  plugin: AnyPlugin,
  { use, options, path }: PluginEntry,
): Promise<{ options: unknown; problems: Problem[] }> {
  const base = [...path.slice(0, 2), 'options'];
  if (!plugin.options) {
    // A user's plugin without a schema takes what it gets; a built-in one would not even look at it.
    const unknown = Object.hasOwn(builtinPlugins, use) ? Object.keys(options) : [];
    const message = `unknown key, ${use} takes no options`;
    return { options, problems: unknown.map((key) => ({ path: [...base, key].join('.'), message })) };
  }
  try {
    const result = await plugin.options.safeParseAsync(options);
    return {
      options: result.data,
      problems: result.error ? toProblems(result.error, plugin.options, base) : [],
    };
  } catch (error) {
    // A check that the plugin's author wrote may itself throw.
    return { options, problems: [{ path: base.join('.'), message: errorText(error) }] };
  }
}

/** Two files may declare one name, which the config alone does not show. */
function sameName(loaded: readonly LoadedPlugins[], entries: readonly PluginEntry[]): Problem[] {
  const names = loaded.map(({ plugins }) => plugins[0]?.plugin.name);
  return names.flatMap((name, i) => {
    const first = names.indexOf(name);
    if (name === undefined || first === i || entries[i]?.use === entries[first]?.use) return [];
    const message = `is also called ${JSON.stringify(name)}, like plugins.${first}: a name is used once`;
    return [{ path: `plugins.${i}`, message }];
  });
}
