/**
 * executable: what a single executable runs first, in its main thread and in the thread of each plugin.
 *
 * Node lets the main script of an executable import nothing but Node's own modules. A module that Node's usual
 * loader has loaded may import anything, so a hook gives it the bundle under a URL, and the bundle loads plugins
 * and configs from wherever they lie, as in a checkout.
 */
const { createRequire, registerHooks } = require('node:module');
const { getAsset } = require('node:sea');
const { pathToFileURL } = require('node:url');
const { isMainThread } = require('node:worker_threads');

// As a file that there is not: what it resolves for itself must have a place to begin at.
const bundle = pathToFileURL(`${process.execPath}/os-inspector-agent.js`).href;
const start = 'os-inspector:start';

registerHooks({
  resolve(wanted, context, next) {
    if (wanted === bundle) return { url: bundle, format: 'module', shortCircuit: true };
    if (wanted === start) return { url: start, format: 'commonjs', shortCircuit: true };
    return next(wanted, context);
  },
  load(wanted, context, next) {
    if (wanted === bundle) {
      return { format: 'module', source: getAsset('os-inspector-agent.js', 'utf8'), shortCircuit: true };
    }
    if (wanted === start)
      return { format: 'commonjs', source: `import(${JSON.stringify(bundle)})`, shortCircuit: true };
    return next(wanted, context);
  },
});

// What `ps` shows would otherwise be Node's name for its thread.
if (isMainThread) process.title = ['os-inspector-agent', ...process.argv.slice(2)].join(' ');

createRequire(process.execPath)(start);
