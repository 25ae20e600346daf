/**
 * plugin-table: the table of plugins in the READMEs, from what the plugins declare.
 *
 * To look over, and no wider than a screen: all facts, their meaning and source are in the reference of plugins.
 */
import type { Facts } from '../plugins/fact.ts';
import type { AnyPlugin } from '../plugins/plugin.ts';

const begin = '<!-- plugins:begin (made by npm run generate) -->';
const end = '<!-- plugins:end -->';

type Language = 'en' | 'es';

const headings: Record<Language, string[]> = {
  en: ['Plugin', 'Facts', 'Readings', 'OS'],
  es: ['Plugin', 'Datos', 'Lecturas', 'SO'],
};
const everywhere: Record<Language, string> = { en: 'all', es: 'todos' };
/** From the README in that language. */
const references: Record<Language, string> = { en: 'docs/plugins.md', es: 'plugins.md' };
const more: Record<Language, (count: number) => string> = {
  en: (count) => `and ${count} more`,
  es: (count) => `y ${count} más`,
};
/** In characters; what does not fit is counted. */
const widest = { facts: 60, readings: 36 };

/** @throws Error when the text has no place for the table */
export function insertPluginTable(text: string, plugins: readonly AnyPlugin[], language: Language): string {
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from === -1 || to < from) throw new Error(`no place for the plugin table: write ${begin} and ${end}`);
  return `${text.slice(0, from + begin.length)}\n\n${pluginTable(plugins, language)}\n\n${text.slice(to)}`;
}

function pluginTable(plugins: readonly AnyPlugin[], language: Language): string {
  const rows = plugins.map(({ name, facts, readings = {}, platforms }) => [
    `[${name}](${references[language]}#${name.toLowerCase()})`,
    namesOf(facts, widest.facts, language),
    namesOf(readings, widest.readings, language) || '—',
    platforms?.join(', ') ?? everywhere[language],
  ]);
  return alignTable([headings[language], ...rows]);
}

/** With every column as wide as its widest cell, so that it reads as a table in the file as well. */
function alignTable(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const [head, ...body] = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)));
  const rule = widths.map((width) => '-'.repeat(width));
  return [head ?? [], rule, ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function namesOf(facts: Facts, width: number, language: Language): string {
  const names = Object.keys(facts);
  const all = names.join(', ');
  if (all.length <= width) return all;
  const fits = (count: number) =>
    `${names.slice(0, count).join(', ')} ${more[language](names.length - count)}`;
  const counts = names.map((_, count) => count).filter((count) => fits(count).length <= width);
  return fits(Math.max(1, ...counts));
}
