/**
 * load-plugins: the plugins that a server knows, and the schema that follows from them.
 *
 * Before anything is opened, so that a plugin that cannot be used stops the start at once.
 */
import type { GraphQLSchema } from 'graphql';
import { loadBuiltinPlugins } from '../plugins/index.ts';
import { loadPlugin } from '../plugins/load.ts';
import { messageOf } from '../plugins/message-of.ts';
import type { AnyPlugin } from '../plugins/plugin.ts';
import { buildSchema } from './schema/schema.ts';

export type Known = { plugins: AnyPlugin[]; schema: GraphQLSchema };

/**
 * @param uses names, files and packages beside the built-in plugins
 * @param folder where relative files and packages are looked up
 * @returns the plugins and their schema, or every problem; never both
 */
export async function loadPlugins(
  uses: readonly string[],
  folder: string,
): Promise<Known | { problems: string[] }> {
  const plugins = await loadBuiltinPlugins();
  const problems: string[] = [];
  for (const use of uses) {
    try {
      const plugin = await loadPlugin(use, folder);
      if (!plugins.includes(plugin)) plugins.push(plugin);
    } catch (cause) {
      problems.push(messageOf(cause));
    }
  }
  if (problems.length > 0) return { problems };
  try {
    return { plugins, schema: buildSchema(plugins) };
  } catch (cause) {
    return { problems: [messageOf(cause)] };
  }
}
