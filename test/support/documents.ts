/** documents: the READMEs and guides taken apart into blocks, tables, plugin files, queries and answers. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { repository } from './process.ts';

export type Block = { file: string; line: number; language: string; text: string };

export const english = 'README.md';
export const spanish = 'docs/README.es.md';
export const guide = 'docs/writing-a-plugin.md';
/** Its queries and answers are made: `scripts/generate.ts --check` holds them. */
export const queries = 'docs/queries.md';
export const operations = 'docs/operations.md';
export const files = [
  english,
  spanish,
  guide,
  queries,
  'docs/agent.md',
  'docs/plugins.md',
  'docs/install.md',
  'docs/export.md',
  operations,
  'docs/security.md',
  'SECURITY.md',
  'docs/benchmarks.md',
  'examples/README.md',
];

const texts = new Map<string, string>();
for (const file of files) texts.set(file, await readFile(join(repository, file), 'utf8'));
const blocks = files.filter((file) => file !== queries).flatMap(blocksOf);

export function textOf(file: string): string {
  return texts.get(file) ?? '';
}

export function blocksOf(file: string): Block[] {
  return [...textOf(file).matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(
    ([, language = '', text = ''], index, { [index]: match }) => ({
      file,
      line: textOf(file).slice(0, match?.index).split('\n').length,
      language,
      text,
    }),
  );
}

export function titled(wanted: Block[]): [string, Block][] {
  return wanted.map((block) => [`${block.file}:${block.line}`, block]);
}

export function inLanguage(...languages: string[]): Block[] {
  return blocks.filter(({ language }) => languages.includes(language));
}

/** The cells of each row, but the rule's, of the table whose first heading is this. */
export function tableOf(file: string, heading: string): string[][] {
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
export const sources: Record<string, string> = {};
for (const { text, file, line } of inLanguage('ts', 'js')) {
  const [, name] = /^\/\/ (\S+\.m?[jt]s)\n/.exec(text) ?? [];
  if (!name) throw new Error(`${file}:${line} does not begin with the name of its file`);
  if ((sources[name] ?? text) !== text) throw new Error(`${file}:${line}: there are two ${name}`);
  sources[name] = text;
}
export const pluginFiles = Object.keys(sources).filter((name) => sources[name]?.includes('export default'));

/** The same for programs, whose name follows the line that tells their interpreter. */
export const programs: Record<string, string> = {};
for (const { text } of inLanguage('sh', 'python')) {
  const [, name] = /^#!.*\n# (\S+): /.exec(text) ?? [];
  if (name) programs[name] = text;
}

/** Answers of the documents: the JSON that follows a query. */
export const answers = new Map<Block, string>();
for (const [index, block] of blocks.entries()) {
  const next = blocks[index + 1];
  if (block.language === 'graphql' && next?.language === 'json' && next.text.includes('"data"')) {
    answers.set(block, next.text);
  }
}
export const configs = inLanguage('json').filter(({ text }) => ![...answers.values()].includes(text));
