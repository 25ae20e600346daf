import { expect, test } from 'vitest';
import { builtinPluginNames } from '../plugins/index.ts';
import { node, run } from '../test/support/process.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import { loadPlugins } from './load-plugins.ts';

const plugin = (name: string, facts: object = { row: { kind: 'count', description: 'Row' } }) =>
  `export default { name: '${name}', version: 1, description: 'x', facts: ${JSON.stringify(facts)}, collect: async () => null };`;
const list = (of: object) => ({ bar: { kind: 'list', description: 'x', of } });

test('without any beside them, the built-in plugins make the schema', async () => {
  const known = await loadPlugins([], '/');
  if ('problems' in known) throw new Error(known.problems.join());
  expect(known.plugins.map(({ name }) => name)).toEqual(builtinPluginNames);
  expect(known.schema.getType('CpuFilter')).toBeDefined();
});

test.each([
  'pageInfo',
  'text',
  'version',
  'direction',
  'hostOrder',
  'dateTime',
  'uUID',
  'reportConnection',
  'cpu',
])('a plugin of the name %s is refused by its name', async (name) => {
  const folder = await temporaryFolder({ 'a.mjs': plugin(name) });
  const known = await loadPlugins(['./a.mjs'], folder);
  expect(known).toMatchObject({ problems: [expect.stringContaining(name)] });
});

test('two plugins whose lists and names meet are told which they are', async () => {
  const foo = plugin('foo', list({ x: { kind: 'text', description: 'x' } }));
  const folder = await temporaryFolder({ 'a.mjs': foo, 'b.mjs': plugin('fooBarItem') });
  expect(await loadPlugins(['./a.mjs', './b.mjs'], folder)).toEqual({
    problems: [
      'plugin "fooBarItem" would define the type FooBarItem, which plugin "foo" has already: rename it',
    ],
  });
});

test('the API tells every plugin that cannot be used, opens nothing and ends', async () => {
  const folder = await temporaryFolder({ 'a.mjs': plugin('text'), 'c.mjs': 'throw new Error("broken")' });
  const env = { PLUGINS: './b.mjs,./c.mjs', BUCKET_URL: `file:${folder}/bucket`, PORT: '0' };
  const script = new URL('./main.ts', import.meta.url).pathname;
  const both = await run(node, [script], { cwd: folder, env });
  expect(both).toMatchObject({ code: 2, stderr: expect.stringMatching(/no plugin file[\s\S]*broken/) });
  const collision = await run(node, [script], { cwd: folder, env: { ...env, PLUGINS: './a.mjs' } });
  expect(collision).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/PLUGINS: plugin "text" would define/),
  });
});
