/**
 * load: turns what a config says (`cpu`, `./plugins/rack.ts`, `@acme/os-inspector-rack`) into a checked plugin.
 *
 * Used by the agent and the API alike, so that both mean the same plugin by the same words.
 */
import { stat } from 'node:fs/promises';
import { registerHooks } from 'node:module';
import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { didYouMean } from './did-you-mean.ts';
import { builtinPluginNames, builtinPlugins } from './index.ts';
import { loadingProblem } from './loading-problem.ts';
import { messageOf } from './message-of.ts';
import { type AnyPlugin, definePlugin } from './plugin.ts';
import { servePluginModule } from './serve-plugin-module.ts';

/** A plugin that cannot be had; the message says which, why, and what to do. */
export class PluginLoadError extends Error {
  override name = 'PluginLoadError';
}

/**
 * Loads one plugin.
 *
 * @param use a built-in name, a file (relative to `folder`, absolute, or a `file:` URL) or a package name
 * @param folder where relative files and packages are looked up: the folder of the config that names them
 * @throws PluginLoadError when there is no such plugin, or its module or declaration is wrong
 */
export async function loadPlugin(use: string, folder: string): Promise<AnyPlugin> {
  if (Object.hasOwn(builtinPlugins, use)) {
    return (await builtinPlugins[use as keyof typeof builtinPlugins]()).default;
  }
  const url = isFile(use) ? await findFile(use, folder) : findPackage(use, folder);
  servePluginModule();
  let module: { default?: AnyPlugin };
  try {
    module = await import(url);
  } catch (cause) {
    throw new PluginLoadError(`cannot load plugin ${use}: ${loadingProblem(cause, url)}`, { cause });
  }
  if (module.default === undefined || module.default === null) {
    throw new PluginLoadError(
      `plugin ${use} has no default export: write "export default definePlugin({ … })"`,
    );
  }
  try {
    return definePlugin(module.default);
  } catch (cause) {
    throw new PluginLoadError(`cannot use plugin ${use}: ${messageOf(cause)}`, { cause });
  }
}

function isFile(use: string): boolean {
  return use.startsWith('.') || use.startsWith('file:') || isAbsolute(use);
}

async function findFile(use: string, folder: string): Promise<string> {
  const path = use.startsWith('file:') ? fileURLToPath(use) : resolve(folder, use);
  const found = await stat(path).catch((cause) => {
    const message = `no plugin file ${path}: paths are relative to the folder of the config`;
    throw new PluginLoadError(message, { cause });
  });
  if (found.isDirectory()) throw new PluginLoadError(`${path} is a folder: name the plugin's file in it`);
  return pathToFileURL(path).href;
}

function findPackage(use: string, folder: string): string {
  const url = resolveFrom(use, folder);
  // A module of Node's own, such as `http`, resolves everywhere and is never a plugin.
  if (url instanceof Error || url.startsWith('node:')) {
    const hint = didYouMean(use, builtinPluginNames) ?? `built in are ${builtinPluginNames.join(', ')}`;
    throw new PluginLoadError(
      `no plugin ${JSON.stringify(use)}: ${hint}; a file begins with "./" and a package must be installed`,
    );
  }
  return url;
}

/**
 * Resolves as an `import` in a file of that folder would. `require.resolve` takes a folder as well, but
 * does not find a package that offers itself to `import` alone.
 */
function resolveFrom(use: string, folder: string): string | Error {
  const parentURL = pathToFileURL(resolve(folder, 'config.js')).href;
  const hooks = registerHooks({
    resolve: (specifier, context, next) => next(specifier, { ...context, parentURL }),
  });
  try {
    return import.meta.resolve(use);
  } catch (cause) {
    return cause instanceof Error ? cause : new Error(String(cause));
  } finally {
    hooks.deregister();
  }
}
