/**
 * serve-plugin-module: lets a plugin say `import … from 'os-inspector/plugin'` wherever it lies.
 *
 * A file under /etc has no node_modules above it to find us in, and the agent may be a single file that has no
 * module of that name to show. A plugin must not get a second copy either, which would bring all of zod along.
 */
import { registerHooks } from 'node:module';
import * as pluginModule from './plugin.ts';

const specifier = 'os-inspector/plugin';
const url = 'os-inspector:plugin';

/** Where the module that is served finds what it hands on: code made by a hook shares nothing else with us. */
const key = Symbol.for(specifier);

let served = false;

/** Once for each thread, however often it is called. */
export function servePluginModule(): void {
  if (served) return;
  served = true;
  Object.defineProperty(globalThis, key, { value: pluginModule });
  const names = Object.keys(pluginModule).join(', ');
  const source = `export const { ${names} } = globalThis[Symbol.for(${JSON.stringify(specifier)})];`;
  registerHooks({
    resolve: (wanted, context, next) =>
      wanted === specifier ? { url, format: 'module', shortCircuit: true } : next(wanted, context),
    load: (wanted, context, next) =>
      wanted === url ? { source, format: 'module', shortCircuit: true } : next(wanted, context),
  });
}
