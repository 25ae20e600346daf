/** What the documents say, held to the code: queries, answers, configs, plugins, settings and links. */
import { existsSync, globSync } from 'node:fs';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type GraphQLInputObjectType, type GraphQLObjectType, getNamedType } from 'graphql';
import { beforeAll, describe, expect, test } from 'vitest';
import { commands } from '../agent/cli.ts';
import { checkConfig } from '../agent/config.ts';
import { buildSchema } from '../api/schema/schema.ts';
import { settingDefaults } from '../api/settings.ts';
import packageJson from '../package.json' with { type: 'json' };
import { type ScalarKind, scalarKinds, unitOf } from '../plugins/fact.ts';
import type { AnyPlugin, CollectContext } from '../plugins/plugin.ts';
import { runAgent } from './support/agent-process.ts';
import { type ApiProcess, startApi } from './support/api-process.ts';
import { describeIf } from './support/needs.ts';
import { node, repository, run } from './support/process.ts';
import { hostRoot } from './support/recorded-hosts.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

type Block = { file: string; line: number; language: string; text: string };

const english = 'README.md';
const spanish = 'docs/README.es.md';
const guide = 'docs/writing-a-plugin.md';
const files = [english, spanish, guide, 'examples/README.md'];

const texts = new Map<string, string>();
for (const file of files) texts.set(file, await readFile(join(repository, file), 'utf8'));
const blocks = files.flatMap(blocksOf);

function textOf(file: string): string {
  return texts.get(file) ?? '';
}

function blocksOf(file: string): Block[] {
  return [...textOf(file).matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(
    ([, language = '', text = ''], index, { [index]: match }) => ({
      file,
      line: textOf(file).slice(0, match?.index).split('\n').length,
      language,
      text,
    }),
  );
}

function titled(wanted: Block[]): [string, Block][] {
  return wanted.map((block) => [`${block.file}:${block.line}`, block]);
}

function inLanguage(...languages: string[]): Block[] {
  return blocks.filter(({ language }) => languages.includes(language));
}

/** The cells of each row, but the rule's, of the table whose first heading is this. */
function tableOf(file: string, heading: string): string[][] {
  const lines = textOf(file).split('\n');
  const from = lines.findIndex((line) => line.startsWith(`| ${heading} `));
  expect(from, `no table ${heading} in ${file}`).toBeGreaterThan(-1);
  const rows = lines.slice(from + 2);
  const length = rows.findIndex((line) => !line.startsWith('|'));
  return rows.slice(0, length === -1 ? rows.length : length).map((row) => {
    const cells = row.split(/(?<!\\)\|/).slice(1, -1);
    return cells.map((cell) => cell.trim().replaceAll('`', ''));
  });
}

/** Files that the documents tell to write, by the name in their first line. */
const sources: Record<string, string> = {};
for (const { text, file, line } of inLanguage('ts', 'js')) {
  const [, name] = /^\/\/ (\S+\.m?[jt]s)\n/.exec(text) ?? [];
  if (!name) throw new Error(`${file}:${line} does not begin with the name of its file`);
  if ((sources[name] ?? text) !== text) throw new Error(`${file}:${line}: there are two ${name}`);
  sources[name] = text;
}
const pluginFiles = Object.keys(sources).filter((name) => sources[name]?.includes('export default'));

/** Answers of the documents: the JSON that follows a query. */
const answers = new Map<Block, string>();
for (const [index, block] of blocks.entries()) {
  const next = blocks[index + 1];
  if (block.language === 'graphql' && next?.language === 'json' && next.text.includes('"data"')) {
    answers.set(block, next.text);
  }
}
const configs = inLanguage('json').filter(({ text }) => ![...answers.values()].includes(text));

/** From the Python system's host that a query of the documents asks for. */
const pythonReport = {
  cpu: 'x86_64',
  os_username: 'alice',
  os_name: 'Linux',
  server_ip: '192.0.2.20',
  timestamp: '2024-11-05 10:20:30.123456',
  os_version: '5.10.0',
};

const isLinux = process.platform === 'linux';

describeIf(isLinux, 'a recorded host is one of Linux', 'on a recorded host', () => {
  let folder: string;
  let api: ApiProcess;
  const env: Record<string, string> = {};

  beforeAll(async () => {
    const root = await temporaryFolder();
    await cp(hostRoot('debian-12-kvm'), root, { recursive: true, verbatimSymlinks: true });
    const swaps = ['Filename Type Size Used Priority', '/dev/vda2 partition 1048572 2048 -2', ''];
    await mkdir(join(root, 'proc'), { recursive: true });
    await writeFile(join(root, 'proc/swaps'), swaps.join('\n'));

    const uses = pluginFiles.map((name) => `./${name}`);
    const options = configs.flatMap(({ text }) => JSON.parse(text).plugins ?? []);
    const plugins = uses.map((use) => options.find((entry) => entry.use === use) ?? use);
    const config = JSON.stringify({ plugins: ['cpu', 'user', 'os', 'network', ...plugins] });
    folder = await temporaryFolder({
      ...sources,
      'agent.config.json': config,
      'package.json': '{ "type": "module" }',
    });
    api = await startApi(folder, { env: { PLUGINS: uses.map((use) => resolve(folder, use)).join(',') } });
    Object.assign(env, { HOST_ROOT: root, OS_INSPECTOR_URL: api.url });
    expect(await runAgent(['once'], { cwd: folder, env })).toMatchObject({ code: 0, stdout: 'success\n' });
    const reportUrl = new URL('/report', api.url);
    const response = await fetch(reportUrl, { method: 'POST', body: JSON.stringify(pythonReport) });
    expect(await response.json()).toEqual({ status: 'success' });
  });

  test('every plugin of the documents collects what it declares', async () => {
    expect(pluginFiles.length).toBeGreaterThanOrEqual(4);
    const { code, stdout, stderr } = await runAgent(['print'], { cwd: folder, env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { results } = JSON.parse(stdout) as { results: Record<string, unknown>[] };
    const [machine, ...others] = results.slice(4);
    expect(results.map(({ status, error }) => [status, error])).toEqual(results.map(() => ['OK', null]));
    expect(machine).toMatchObject({ facts: { model: 'Standard PC (i440FX + PIIX, 1996)' } });
    const told = Object.fromEntries(
      others.map(({ plugin, facts, readings }) => [plugin, { facts, readings }]),
    );
    expect(told).toEqual({
      runtime: { facts: { node: process.versions.node, openssl: process.versions.openssl }, readings: null },
      site: { facts: { room: 'B2', row: 7 }, readings: null },
      swap: {
        facts: { devices: [{ device: '/dev/vda2', totalBytes: 1_073_737_728 }] },
        readings: { usedBytes: 2_097_152 },
      },
    });
  });

  test.each([
    ['{}', 'machine.ts', expect.stringContaining('MODULE_TYPELESS_PACKAGE_JSON')],
    ['{ "type": "commonjs" }', 'machine.mts', expect.stringMatching(/^note: there is no host id [^\n]*\n$/)],
  ])('beside a package.json that holds %s, %s is loaded', async (packageFile, name, stderr) => {
    const cwd = await temporaryFolder({
      'package.json': packageFile,
      [name]: sources['machine.ts'] ?? '',
      'agent.config.json': JSON.stringify({ plugins: [`./${name}`] }),
    });
    const exit = await runAgent(['print'], { cwd, env });
    expect({ code: exit.code, stderr: exit.stderr }).toEqual({ code: 0, stderr });
    expect(JSON.parse(exit.stdout).results[0].status).toBe('OK');
  });

  test('the tests of the guide pass', async () => {
    const names = Object.keys(sources).filter((name) => name.includes('.test.'));
    const { code, stdout } = await run(node, ['--test', '--test-reporter=tap', ...names], {
      cwd: folder,
      // Otherwise Node takes itself for a part of this run.
      env: { NODE_TEST_CONTEXT: undefined },
    });
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^# pass 2$/m) });
  });

  test.each(titled(inLanguage('graphql')))('the query at %s gets its answer', async (_at, block) => {
    const data = await api.ask(block.text);
    const [list] = Object.values<{ nodes: unknown[] }>(data);
    expect(list?.nodes.length).toBeGreaterThan(0);
    const answer = answers.get(block);
    if (answer) expect({ data }).toEqual(JSON.parse(answer));
  });

  test('there is an answer to compare in each README', () => {
    expect([...answers.keys()].map(({ file }) => file)).toEqual([english, spanish]);
  });
});

describe('configs', () => {
  test.each(titled(configs))('the one at %s has no problems', (_at, { text }) => {
    expect(checkConfig(JSON.parse(text)).problems).toEqual([]);
  });
});

describe.each([
  [english, 'Setting', 'Command'],
  [spanish, 'Ajuste', 'Comando'],
])('the tables of %s', (file, setting, command) => {
  test('name every setting of the API with its default', () => {
    const rows = tableOf(file, setting).map(([name, value]) => [name, value]);
    expect(Object.fromEntries(rows)).toEqual(settingDefaults);
  });

  test('name every command of the agent', () => {
    const rows = tableOf(file, command).map(([name]) => name);
    expect(rows).toEqual(Object.keys(commands).map((name) => `bin/os-inspector-agent.js ${name}`));
  });
});

describe('the tables of the plugin guide', () => {
  // A member that is added or renamed is first an error of the type check here, then of the test.
  const members: Record<keyof AnyPlugin, true> = {
    name: true,
    version: true,
    description: true,
    facts: true,
    readings: true,
    source: true,
    platforms: true,
    options: true,
    collect: true,
  };
  const context: Record<keyof CollectContext, true> = {
    signal: true,
    options: true,
    root: true,
    cache: true,
  };

  test('name every member of a plugin and of its context', () => {
    expect(tableOf(guide, 'Member        | Needed').map(([name]) => name)).toEqual(Object.keys(members));
    expect(tableOf(guide, 'Member    | Holds').map(([name]) => name)).toEqual(Object.keys(context));
  });

  test('say of every kind its unit and its types', () => {
    const kinds = Object.keys(scalarKinds) as ScalarKind[];
    const plugin: AnyPlugin = {
      name: 'every',
      version: 1,
      description: 'Every kind',
      facts: Object.fromEntries(kinds.map((kind) => [kind, { kind, description: kind }])),
      collect: async () => null,
    };
    const schema = buildSchema([plugin]);
    const outputs = (schema.getType('Every') as GraphQLObjectType).getFields();
    const filters = (schema.getType('EveryFilter') as GraphQLInputObjectType).getFields();
    const wanted = kinds.map((kind) => [
      kind,
      unitOf({ kind, description: kind }) ?? '',
      typeof samples[kind],
      getNamedType(outputs[kind]?.type)?.name,
      getNamedType(filters[kind]?.type)?.name,
    ]);
    for (const kind of kinds) expect(scalarKinds[kind].schema.safeParse(samples[kind]).success).toBe(true);
    expect(tableOf(guide, 'Kind').map(([kind, _holds, ...types]) => [kind, ...types])).toEqual(wanted);
  });

  /** A value of each kind, for its TypeScript type. */
  const samples: Record<ScalarKind, unknown> = {
    text: 'a',
    count: 1,
    number: -1.5,
    bytes: 1,
    hertz: 1.5,
    ratio: 0.5,
    boolean: true,
    instant: '2026-05-01T10:00:00Z',
    duration: 1.5,
    version: '1.2',
    ip: '192.0.2.1',
    mac: '02:00:00:00:00:01',
  };
});

test('both READMEs have the same headings and the same code', () => {
  const outline = (file: string) =>
    [...textOf(file).matchAll(/^(#+) |^(```.*)$/gm)].map(([, heading, fence]) => heading ?? fence);
  expect(outline(spanish)).toEqual(outline(english));
  expect(blocksOf(spanish).map(({ text }) => text)).toEqual(blocksOf(english).map(({ text }) => text));
});

describe.each(files)('in %s', (file) => {
  test('every link leads somewhere', () => {
    const targets = [...textOf(file).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
    const local = targets.filter((target) => !/^[a-z]+:/.test(target));
    expect(local.length).toBeGreaterThan(0);
    const broken = local.filter((target) => {
      const [path = '', anchor] = target.split('#');
      const found = path === '' ? join(repository, file) : join(repository, dirname(file), path);
      if (!existsSync(found)) return true;
      return anchor !== undefined && !anchorsOf(path === '' ? file : path).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  test('every script and file that a command names is there', () => {
    const scripts = [...textOf(file).matchAll(/npm (?:run ([\w:]+)|(start|test)\b)/g)];
    for (const [, script, short = ''] of scripts) {
      expect(Object.keys(packageJson.scripts)).toContain(script ?? short);
    }
    const named = [
      ...textOf(file).matchAll(/(?<![\w/.-])(?:agent|api|bin|examples|scripts)\/[\w/.-]*\.\w+/g),
    ];
    expect(named.length).toBeGreaterThan(0);
    const missing = named.map(([path]) => path).filter((path) => !existsSync(join(repository, path)));
    expect(missing).toEqual([]);
  });
});

test('every document is held to the code here', () => {
  const all = globSync(['*.md', 'docs/*.md', 'examples/*.md'], { cwd: repository });
  const told = all.filter((file) => !['CHANGELOG.md', 'CONTRIBUTING.md', 'AGENTS.md'].includes(file));
  expect(told.sort()).toEqual([...files].sort());
});

/** The anchors of a document's headings, as GitHub makes them. */
function anchorsOf(file: string): string[] {
  return [...textOf(file).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} -]/gu, '')
      .replaceAll(' ', '-'),
  );
}
