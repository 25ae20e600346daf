import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import { checkConfig } from './config.ts';
import { closePlugins, loadConfiguredPlugins } from './configured-plugins.ts';

const zod = import.meta.resolve('zod');

const plainObject = `export default {
  name: 'rack', version: 1, description: 'Where it stands',
  facts: { row: { kind: 'count', description: 'Row' } },
  collect: async () => ({ row: 7 }),
};`;

const withOptions = `import { z } from '${zod}';
export default {
  name: 'rack', version: 1, description: 'Where it stands',
  facts: { row: { kind: 'count', description: 'Row' }, side: { kind: 'text', description: 'Side' } },
  options: z.strictObject({ row: z.int().positive(), side: z.enum(['front', 'back']).default('front') }),
  interval: '1h',
  collect: async ({ options }) => ({ row: options.row, side: options.side }),
};`;

async function load(plugins: unknown[], files: Record<string, string>, loadMs?: number) {
  const folder = await temporaryFolder(files);
  const loaded = await loadConfiguredPlugins(checkConfig({ plugins }).plugins, folder, {
    loadMs,
    onStray: (use, error) => expect.fail(`${use}: ${error}`),
  });
  onTestFinished(() => closePlugins(loaded.plugins));
  return loaded;
}

const never = new AbortController().signal;

test('plugins are loaded in order, each with its timeout and checked options', async () => {
  const rack = { use: './rack.mjs', timeout: '2s', options: { row: 3 } };
  const { plugins, problems } = await load([rack, './plain.mjs'], {
    'rack.mjs': withOptions,
    'plain.mjs': plainObject.replace("'rack'", "'plain'"),
  });
  expect(problems).toEqual([]);
  expect(plugins).toMatchObject([
    { plugin: { name: 'rack' }, timeoutMs: 2_000, intervalMs: 3_600_000 },
    { plugin: { name: 'plain' }, timeoutMs: 10_000, intervalMs: null },
  ]);
  const outcomes = await Promise.all(plugins.map(({ source }) => source.collect(never, '/')));
  expect(outcomes).toMatchObject([{ facts: { row: 3, side: 'front' } }, { facts: { row: 7 } }]);
});

test('the config has the last word on how long what a plugin collected holds', async () => {
  const often = { use: './rack.mjs', interval: '5m', options: { row: 3 } };
  const { plugins } = await load([often], { 'rack.mjs': withOptions });
  expect(plugins).toMatchObject([{ intervalMs: 300_000 }]);
});

test('a limit of memory for what has none is a problem', async () => {
  const { problems } = await load([{ use: 'cpu', memory: '64MiB' }], {});
  const message = "cpu comes with os-inspector and runs in the agent's own memory: leave it out";
  expect(problems).toEqual([{ path: 'plugins.0.memory', message }]);
});

test('every problem of every plugin is reported with its path', async () => {
  const { problems } = await load(
    [
      'networc',
      './missing.ts',
      { use: './broken.mjs' },
      './empty.mjs',
      './wrong.mjs',
      { use: './rack.mjs', options: { row: 'x', sid: 'back' } },
      './plain.mjs',
    ],
    {
      'broken.mjs': 'throw new Error("no licence");',
      'empty.mjs': 'export const x = 1;',
      'wrong.mjs': 'export default { name: "Rack" };',
      'rack.mjs': withOptions,
      'plain.mjs': plainObject,
    },
  );
  const found = Object.fromEntries(problems.map(({ path, message }) => [path, message]));
  expect(found).toEqual({
    'plugins.0': expect.stringContaining('no plugin "networc": did you mean "network"?'),
    'plugins.1': expect.stringContaining('missing.ts: paths are relative to the folder of the config'),
    'plugins.2.use': expect.stringContaining('no licence'),
    'plugins.3': expect.stringContaining('has no default export'),
    'plugins.4': expect.stringContaining('name: must be camelCase'),
    'plugins.5.options.row': expect.any(String),
    'plugins.5.options.sid': 'unknown key, did you mean "side"?',
    'plugins.6': 'is also called "rack", like plugins.5: a name is used once',
  });
});

test('options that a plugin needs and nobody gave are problems', async () => {
  const { problems } = await load(['./rack.mjs'], { 'rack.mjs': withOptions });
  expect(problems.map(({ path }) => path)).toEqual(['plugins.0.options.row']);
});

test('a built-in plugin takes no options', async () => {
  const { problems } = await load(
    [
      { use: 'cpu', options: { depth: 2 } },
      { use: 'os', options: {} },
    ],
    {},
  );
  expect(problems).toEqual([
    { path: 'plugins.0.options.depth', message: 'unknown key, cpu takes no options' },
  ]);
});

test('a plugin that never has done with loading is a problem, and the others are loaded', async () => {
  const files = {
    'late.mjs': 'await new Promise(() => {});',
    'loop.mjs': 'for (;;);',
    'plain.mjs': plainObject,
  };
  const { plugins, problems } = await load(['./late.mjs', './loop.mjs', './plain.mjs'], files, 5_000);
  const message = (name: string) =>
    `plugin ./${name}.mjs did not load within 5s: does it loop, or await what never comes?`;
  expect(problems).toEqual([
    { path: 'plugins.0', message: message('late') },
    { path: 'plugins.1', message: message('loop') },
  ]);
  expect(plugins).toMatchObject([{ plugin: { name: 'rack' } }]);
});

test.each([
  ['process.exit(3);', 'plugin ./bad.mjs called process.exit(3)'],
  ['const all = []; for (;;) all.push({});', 'plugin ./bad.mjs took more than 128 MiB of memory: raise its'],
])('one that loads with %s ends only its own thread', async (text, message) => {
  const { plugins, problems } = await load(['./bad.mjs', './plain.mjs'], {
    'bad.mjs': text,
    'plain.mjs': plainObject,
  });
  expect(problems).toEqual([{ path: 'plugins.0', message: expect.stringContaining(message) }]);
  expect(plugins).toMatchObject([{ plugin: { name: 'rack' } }]);
});
