import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import { ConfigFileError, findConfig, searchPlaces } from './config-file.ts';

const nowhere = '/nonexistent';

/** The same config in every form, by how its file ends. */
function contentFor(place: string, interval: string): string {
  if (place === 'package.json') return JSON.stringify({ name: 'x', agent: { interval } });
  if (/\.(?:js|mjs)$/.test(place)) return `export default { interval: '${interval}' };`;
  if (place.endsWith('.ts')) return `export default { interval: '${interval}' as string } satisfies object;`;
  return place.endsWith('.json') ? JSON.stringify({ interval }) : `interval: ${interval}\n`;
}

test.each(searchPlaces)('%s is found', async (place) => {
  const cwd = await temporaryFolder({ [place]: contentFor(place, '5m') });
  expect(await findConfig(cwd, null, { system: nowhere })).toEqual({
    path: join(cwd, place),
    folder: cwd,
    value: { interval: '5m' },
  });
});

test('the search places are those of the contract, in its order', () => {
  expect(searchPlaces).toEqual([
    ...['agent.config.json', 'agent.config.yaml', 'agent.config.yml'],
    ...['agent.config.ts', 'agent.config.js', 'agent.config.mjs'],
    ...['.agentrc', '.agentrc.json', '.agentrc.yaml', '.agentrc.yml'],
    ...['.agentrc.js', '.agentrc.ts', '.agentrc.mjs', 'package.json'],
  ]);
});

test('the first place in order wins, and a package.json without the key is passed over', async () => {
  const cwd = await temporaryFolder({ 'package.json': '{"name":"x"}', '.agentrc': 'interval: 2m' });
  expect((await findConfig(cwd, null, { system: nowhere })).path).toBe(join(cwd, '.agentrc'));
  const both = await temporaryFolder({ '.agentrc': 'interval: 2m', 'agent.config.yaml': 'interval: 3m' });
  expect((await findConfig(both, null, { system: nowhere })).value).toEqual({ interval: '3m' });
});

test('the system folder serves when the current one has no config', async () => {
  const system = await temporaryFolder({ 'agent.config.yaml': 'interval: 3m' });
  const cwd = await temporaryFolder();
  expect(await findConfig(cwd, null, { system })).toMatchObject({
    folder: system,
    value: { interval: '3m' },
  });
});

test('no config anywhere is no error', async () => {
  const cwd = await temporaryFolder();
  expect(await findConfig(cwd, null, { system: nowhere })).toEqual({
    path: null,
    folder: cwd,
    value: undefined,
  });
});

test.each([
  ['agent.config.yaml', ''],
  ['agent.config.yaml', '# all defaults\n'],
  ['agent.config.json', 'null'],
  ['agent.config.mjs', 'export default null;'],
  ['.agentrc', '# all defaults\n'],
])('%s that holds %j is a config without settings', async (place, text) => {
  const cwd = await temporaryFolder({ [place]: text, 'package.json': '{"agent":{"interval":"9m"}}' });
  const expected = { path: join(cwd, place), folder: cwd, value: undefined };
  expect(await findConfig(cwd, null, { system: nowhere })).toEqual(expected);
  expect(await findConfig(cwd, place)).toEqual(expected);
});

test.each(['agent.config.ts', 'agent.config.js', 'agent.config.mjs'])(
  '%s without a default export is a problem',
  async (place) => {
    const cwd = await temporaryFolder({
      'package.json': '{"type":"module"}',
      [place]: 'export const a = 1;',
    });
    const message = `cannot read config file ${join(cwd, place)}: it has no default export: write`;
    await expect(findConfig(cwd, null, { system: nowhere })).rejects.toThrow(message);
    await expect(findConfig(cwd, place)).rejects.toThrow(message);
  },
);

test('a config that never has done with loading is a problem', async () => {
  const cwd = await temporaryFolder({ 'agent.config.mjs': 'await new Promise(() => {});' });
  await expect(findConfig(cwd, null, { system: nowhere, loadMs: 300 })).rejects.toThrow(
    `cannot read config file ${join(cwd, 'agent.config.mjs')}: did not load within 300ms`,
  );
});

test('a config that fails for want of another file is not taken for missing', async () => {
  const text = "import { readFileSync } from 'node:fs'; export default readFileSync('/nonexistent/file');";
  const cwd = await temporaryFolder({ 'agent.config.mjs': text, '.agentrc': 'interval: 2m' });
  await expect(findConfig(cwd, null, { system: nowhere })).rejects.toThrow(
    /cannot read config file .*ENOENT/,
  );
});

test('a file that is named is used, relative to the current folder', async () => {
  const cwd = await temporaryFolder({ 'etc/mine.json': '{"interval":"4m"}', 'agent.config.json': '{}' });
  expect(await findConfig(cwd, 'etc/mine.json')).toEqual({
    path: join(cwd, 'etc/mine.json'),
    folder: join(cwd, 'etc'),
    value: { interval: '4m' },
  });
});

test.each([
  ['agent.config.json', '{ "interval": ', /cannot read config file .*agent\.config\.json: .*JSON/],
  ['agent.config.yaml', 'a: [1', /cannot read config file .*agent\.config\.yaml: .*YAML/],
  ['agent.config.mjs', 'export default {', /cannot read config file .*agent\.config\.mjs: /],
  ['agent.config.ts', 'throw new Error("no row")', /cannot read config file .*agent\.config\.ts: .*no row/],
])('%s that does not parse is named with the reason', async (place, text, message) => {
  const cwd = await temporaryFolder({ [place]: text });
  await expect(findConfig(cwd, null, { system: nowhere })).rejects.toThrow(message);
  await expect(findConfig(cwd, place)).rejects.toThrow(ConfigFileError);
});

test('a named file that is missing, a folder, or without the key is an error', async () => {
  const cwd = await temporaryFolder({ 'package.json': '{}' });
  await expect(findConfig(cwd, 'no.json')).rejects.toThrow(`no config file ${join(cwd, 'no.json')}`);
  await expect(findConfig(cwd, '.')).rejects.toThrow(ConfigFileError);
  await expect(findConfig(cwd, 'package.json')).rejects.toThrow('has no "agent" key');
});
