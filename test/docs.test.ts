/** What the documents say, held to the code: configs, tables, commands, links. */
import { existsSync, globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type GraphQLInputObjectType, type GraphQLObjectType, getNamedType } from 'graphql';
import { describe, expect, test } from 'vitest';
import { commands } from '../agent/cli.ts';
import { checkConfig } from '../agent/config.ts';
import { exampleQueries } from '../api/example-queries.ts';
import { schemaVersion } from '../api/index/tables.ts';
import { buildSchema } from '../api/schema/schema.ts';
import { settingDefaults } from '../api/settings.ts';
import packageJson from '../package.json' with { type: 'json' };
import { execOptions } from '../plugins/exec.ts';
import { type ScalarKind, scalarKinds, unitOf } from '../plugins/fact.ts';
import type { AnyPlugin, CollectContext } from '../plugins/plugin.ts';
import { fleetNow } from '../scripts/example-fleet.ts';
import { insertAnswers } from '../scripts/query-answers.ts';
import {
  blocksOf,
  configs,
  english,
  files,
  guide,
  queries,
  spanish,
  tableOf,
  textOf,
  titled,
} from './support/documents.ts';
import { repository } from './support/process.ts';

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

test.each([english, spanish])('%s names the schema that the index is in', (file) => {
  const named = [...textOf(file).matchAll(/os_inspector_v(\d+)/g)].map(([, version]) => Number(version));
  expect(named).toEqual([schemaVersion]);
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
    interval: true,
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

  test('name every option of a command', () => {
    expect(tableOf(guide, 'Option').map(([name]) => name)).toEqual(Object.keys(execOptions.shape));
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

describe('docs/queries.md', () => {
  test('has every query that GraphiQL opens with, and an answer after each of its queries', () => {
    const blocks = blocksOf(queries);
    const asked = blocks.filter(({ language }) => language === 'graphql');
    expect(asked.map(({ text }) => text)).toEqual(expect.arrayContaining([...exampleQueries(fleetNow)]));
    for (const [index, { language }] of blocks.entries()) {
      expect(language).toMatch(index % 2 === 0 ? /^graphql$/ : /^(json|text)$/);
    }
  });

  test('is not made without one of them', async () => {
    const [first = '', ...others] = exampleQueries(fleetNow);
    const text = others.map((query) => `\`\`\`graphql\n${query}\`\`\`\n`).join('\n');
    expect(first).toContain('query FirstLook');
    await expect(insertAnswers(text)).rejects.toThrow('docs/queries.md lacks FirstLook');
  });
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
      return (
        anchor !== undefined && !anchorsOf(path === '' ? file : join(dirname(file), path)).includes(anchor)
      );
    });
    expect(broken).toEqual([]);
  });

  test('every script and file that a command names is there', () => {
    const scripts = [...textOf(file).matchAll(/npm (?:run ([\w:]+)|(start|test)\b)/g)];
    for (const [, script, short = ''] of scripts) {
      expect(Object.keys(packageJson.scripts)).toContain(script ?? short);
    }
    const named = [
      ...textOf(file).matchAll(/(?<![\w/.-])(?:agent|api|bench|bin|examples|scripts)\/[\w/.-]*\.\w+/g),
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
