import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { builtinPluginNames } from '../plugins/index.ts';
import { hostWith } from '../test/support/agent-host.ts';
import { runAgent } from '../test/support/agent-process.ts';
import { startStubApi } from '../test/support/stub-api.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import type { InitFlags } from './cli.ts';
import { checkConfig } from './config.ts';
import { findConfig } from './config-file.ts';
import { configSchema } from './config-schema.ts';
import { initConfig } from './init.ts';

const none: InitFlags = {
  ...{ url: null, interval: null, labels: [], plugins: [] },
  ...{ output: null, yes: false, force: false },
};

/** Answers each question, whatever it is, with the next of these lines; then the terminal is closed. */
function initialise(cwd: string, flags: Partial<InitFlags>, lines: string[] = []) {
  const [input, output] = [new PassThrough(), new PassThrough({ encoding: 'utf8' })];
  const asked: string[] = [];
  output.on('data', (text: string) => {
    asked.push(text.trim());
    if (!text.endsWith(']: ')) return;
    const line = lines.shift();
    if (line === undefined) input.end();
    else input.write(`${line}\n`);
  });
  const terminal = { input, output, isOne: true };
  const { signal: stop } = new AbortController();
  const done = initConfig({ cwd, init: { ...none, ...flags }, terminal, onStray: () => {}, stop });
  return { done, asked };
}

const written = async (cwd: string) => (await findConfig(cwd, 'agent.config.yaml')).value;

test('asks for all, again after what is wrong, and writes what check takes', async () => {
  const cwd = await hostWith({}, {});
  const lines = [
    'localhost',
    'http://api.test/graphql',
    '',
    'site',
    'site=fra1, note=a "b": c',
    'cpu, ./none.ts',
    'cpu, ./plain.mjs',
  ];
  const { done, asked } = initialise(cwd, { force: true }, lines);
  expect((await done).path).toBe(join(cwd, 'agent.config.yaml'));
  const value = await written(cwd);
  expect(value).toEqual({
    ...{ api: { url: 'http://api.test/graphql' }, interval: '60s', plugins: ['cpu', './plain.mjs'] },
    labels: { site: 'fra1', note: 'a "b": c' },
  });
  expect(checkConfig(value).problems).toEqual([]);
  const text = asked.join('\n');
  expect(text).toContain('GraphQL endpoint of the API [http://127.0.0.1:4000/graphql]:');
  expect(text).toContain('must begin with http:// or https://');
  expect(text).toContain('site must be as name=value');
  expect(text).toMatch(/none\.ts/);
});

test('no answer takes what is in brackets, and what the command line says is not asked', async () => {
  const cwd = await temporaryFolder();
  const { done, asked } = initialise(cwd, { interval: '5m', labels: ['note=a, b'] }, ['', '']);
  await done;
  expect(await written(cwd)).toEqual({
    ...{ api: { url: 'http://127.0.0.1:4000/graphql' }, interval: '5m', labels: { note: 'a, b' } },
    plugins: [...builtinPluginNames],
  });
  expect(asked.join()).not.toMatch(/time from|labels as/);
});

test('a terminal that is closed in between writes nothing', async () => {
  const cwd = await temporaryFolder();
  const { done } = initialise(cwd, {}, ['http://api.test/graphql']);
  await expect(done).rejects.toThrow('init was given up: nothing was written');
  expect(await readdir(cwd)).toEqual([]);
});

test('what is there is not overwritten, nor put before what is written, unless asked to', async () => {
  for (const name of ['agent.config.yaml', 'agent.config.json', '.agentrc']) {
    const cwd = await temporaryFolder({ [name]: '{}' });
    const flags = { url: 'http://api.test/graphql', yes: true };
    await expect(initialise(cwd, flags).done).rejects.toThrow(`there is ${join(cwd, name)} already: --force`);
    expect(await readFile(join(cwd, name), 'utf8')).toBe('{}');
    await initialise(cwd, { ...flags, force: true }).done;
    expect(await written(cwd)).toMatchObject({ api: { url: 'http://api.test/graphql' } });
  }
});

test.each([
  [{ url: 'ftp://x', yes: true }, /^the command line has 1 problem:\n {2}--url: must begin with/],
  [
    { url: 'http://x/', labels: ['a'], interval: '1x' },
    /2 problems:\n {2}--interval: .*\n {2}--label: a must be/,
  ],
  [{ url: 'http://x/', labels: ['a=1', 'a =2'] }, /--label: a is given twice/],
  [{ url: 'http://x/', plugins: ['cpuu'] }, /--plugin: no plugin "cpuu"/],
  [{ yes: true }, /^--url is missing/],
  [{ url: 'http://x/', output: 'a.json' }, /^--output must end in \.yaml or \.yml/],
  [{ url: 'http://x/', yes: true, output: '/dev/null/a.yaml' }, /^cannot write \/dev\/null\/a\.yaml: /],
])('%j is refused, and nothing is written', async (flags, message) => {
  const cwd = await temporaryFolder();
  await expect(initialise(cwd, flags).done).rejects.toThrow(message);
  expect(await readdir(cwd)).toEqual([]);
});

test('unattended: the agent that it makes a config for submits with it', async () => {
  const api = await startStubApi();
  const cwd = await temporaryFolder();
  const args = [
    'init',
    '--url',
    api.url,
    '--label',
    'site=fra1',
    '--plugin',
    'os',
    '--output',
    'conf/a.yaml',
  ];
  const exit = await runAgent(args, { cwd });
  const file = join(cwd, 'conf/a.yaml');
  expect(exit).toMatchObject({ code: 0, stderr: '' });
  expect(exit.stdout).toMatch(
    `wrote ${file}\nconfig: ${file}: no problems\nplugins: os\napi: ${api.url} answers\n`,
  );
  expect(exit.stdout).toMatch(/next:\n {2}os-inspector-agent once --config conf\/a\.yaml/);
  expect(await runAgent(['once', '--config', 'conf/a.yaml'], { cwd })).toMatchObject({ stdout: 'success\n' });
  expect(api.requests.at(-1)?.variables.input.host.labels).toEqual({ site: 'fra1' });
});

test('without a terminal and without an address it says what to do, exit 2', async () => {
  const cwd = await temporaryFolder();
  const exit = await runAgent(['init'], { cwd });
  expect(exit).toMatchObject({ code: 2, stdout: '' });
  expect(exit.stderr).toMatch(/^init asks on a terminal, and this is none: name at least --url/);
  expect(await readdir(cwd)).toEqual([]);
});

test('every setting is in the file, and what is left out there is right once it is no comment any more', async () => {
  const cwd = await temporaryFolder();
  const { done } = initialise(cwd, { url: 'http://api.test/graphql', labels: ['a=b'], yes: true });
  const { path } = await done;
  const whole = (await readFile(path, 'utf8')).replace(/^# ( *\w+:(?: .*)?)$/gm, '$1');
  await writeFile(path, whole);
  const value = await written(cwd);
  expect(checkConfig(value).problems).toEqual([]);
  const { $schema, ...settings } = configSchema.shape;
  expect(Object.keys(value as object).sort()).toEqual(Object.keys(settings).sort());
});
