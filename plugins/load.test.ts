import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import { didYouMean } from './did-you-mean.ts';
import { builtinPluginNames } from './index.ts';
import { loadPlugin, PluginLoadError } from './load.ts';

const plain = `export default {
  name: 'rack', version: 1, description: 'Where it stands',
  facts: { row: { kind: 'count', description: 'Row' } },
  collect: async () => ({ row: 7 }),
};`;

const authored = `import { count, definePlugin } from 'os-inspector/plugin';
export default definePlugin({
  name: 'rack', version: 1, description: 'Where it stands',
  facts: { row: count('Row') },
  collect: async () => ({ row: 7 }),
});`;

/** Loads in a Node of its own: Vitest resolves imports itself, and knows nothing of Node's hooks. */
function loadInNode(use: string, folder: string): string {
  const script = `
    import { loadPlugin } from ${JSON.stringify(import.meta.resolve('./load.ts'))};
    const plugin = await loadPlugin(${JSON.stringify(use)}, ${JSON.stringify(folder)});
    console.log(plugin.name, JSON.stringify(await plugin.collect({})));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script]);
  return (stdout.toString() || stderr.toString()).trim();
}

test.each(builtinPluginNames)('%s is built in', async (name) => {
  expect((await loadPlugin(name, '/')).name).toBe(name);
});

test('a file may be relative to the folder, absolute or a URL, and a plain object', async () => {
  const folder = await temporaryFolder({ 'sub/rack.mjs': plain });
  expect(await loadPlugin('./sub/rack.mjs', folder)).toMatchObject({ name: 'rack' });
  expect(await loadPlugin('../rack.mjs', join(folder, 'sub/x'))).toMatchObject({ name: 'rack' });
  expect(await loadPlugin(join(folder, 'sub/rack.mjs'), '/')).toMatchObject({ name: 'rack' });
  expect(await loadPlugin(`file://${folder}/sub/rack.mjs`, '/')).toMatchObject({ name: 'rack' });
});

test.each(['rack.ts', 'rack.mjs'])(
  '%s far from any node_modules imports os-inspector/plugin',
  async (name) => {
    const folder = await temporaryFolder({ [name]: authored });
    expect(loadInNode(`./${name}`, folder)).toBe('rack {"row":7}');
  },
);

test('a package is found from the folder of the config, also one for import alone', async () => {
  const folder = await temporaryFolder({
    'node_modules/@acme/rack/package.json': '{"type":"module","exports":{".":{"import":"./index.js"}}}',
    'node_modules/@acme/rack/index.js': authored,
  });
  expect(loadInNode('@acme/rack', folder)).toBe('rack {"row":7}');
});

test.each([
  ['networc', 'no plugin "networc": did you mean "network"?; a file begins with "./"'],
  ['http', 'no plugin "http": built in are cpu, user, os, network'],
  ['plugins/rack.ts', 'no plugin "plugins/rack.ts": built in are'],
  ['./rack.ts', 'paths are relative to the folder of the config'],
  ['./folder', "/folder is a folder: name the plugin's file in it"],
  ['./broken.mjs', 'cannot load plugin ./broken.mjs: no licence'],
  ['./text.mjs', 'cannot load plugin ./text.mjs: just text'],
  ['./named.mjs', 'has no default export'],
  ['./null.mjs', 'has no default export'],
  ['./five.mjs', 'cannot use plugin ./five.mjs: '],
  ['./wrong.mjs', 'name: must be camelCase'],
])('%s says why it is no plugin', async (use, message) => {
  const folder = await temporaryFolder({
    'folder/rack.mjs': plain,
    'broken.mjs': 'throw new Error("no licence");',
    'text.mjs': 'throw "just text";',
    'named.mjs': 'export const plugin = {};',
    'null.mjs': 'export default null;',
    'five.mjs': 'export default 5;',
    'wrong.mjs': 'export default { name: "Rack" };',
  });
  const failure = await loadPlugin(use, folder).catch((error) => error);
  expect(failure).toBeInstanceOf(PluginLoadError);
  expect(failure.message).toContain(message);
});

test.each([
  ['networc', 'did you mean "network"?'],
  ['OS', 'did you mean "os"?'],
  ['disk', null],
  ['', null],
])('%j is guessed as %s', (wrong, hint) => {
  expect(didYouMean(wrong, ['cpu', 'user', 'os', 'network'])).toBe(hint);
});

test('a module that a package.json makes CommonJS fails with the way out', async () => {
  const folder = await temporaryFolder({ 'package.json': '{ "type": "commonjs" }', 'rack.ts': authored });
  expect(loadInNode('./rack.ts', folder)).toMatch(/name it rack\.mts, or write "type": "module"/);
});
