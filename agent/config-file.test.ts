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
  expect(await findConfig(cwd, null, nowhere)).toEqual({
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
  expect((await findConfig(cwd, null, nowhere)).path).toBe(join(cwd, '.agentrc'));
  const both = await temporaryFolder({ '.agentrc': 'interval: 2m', 'agent.config.yaml': 'interval: 3m' });
  expect((await findConfig(both, null, nowhere)).value).toEqual({ interval: '3m' });
});

test('the system folder serves when the current one has no config', async () => {
  const system = await temporaryFolder({ 'agent.config.yaml': 'interval: 3m' });
  const cwd = await temporaryFolder();
  expect(await findConfig(cwd, null, system)).toMatchObject({ folder: system, value: { interval: '3m' } });
});

test('no config anywhere is no error', async () => {
  const cwd = await temporaryFolder();
  expect(await findConfig(cwd, null, nowhere)).toEqual({ path: null, folder: cwd, value: undefined });
});

test('an empty file is a config without settings', async () => {
  const cwd = await temporaryFolder({ 'agent.config.yaml': '' });
  expect(await findConfig(cwd, null, nowhere)).toMatchObject({ path: join(cwd, 'agent.config.yaml') });
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
  await expect(findConfig(cwd, null, nowhere)).rejects.toThrow(message);
  await expect(findConfig(cwd, place)).rejects.toThrow(ConfigFileError);
});

test('a named file that is missing, a folder, or without the key is an error', async () => {
  const cwd = await temporaryFolder({ 'package.json': '{}' });
  await expect(findConfig(cwd, 'no.json')).rejects.toThrow(`no config file ${join(cwd, 'no.json')}`);
  await expect(findConfig(cwd, '.')).rejects.toThrow(ConfigFileError);
  await expect(findConfig(cwd, 'package.json')).rejects.toThrow('has no "agent" key');
});
