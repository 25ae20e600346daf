/**
 * plugin-table: the table of plugins in the READMEs, from what the plugins declare.
 */
import type { Facts } from '../plugins/fact.ts';
import type { AnyPlugin } from '../plugins/plugin.ts';

const begin = '<!-- plugins:begin (made by npm run generate) -->';
const end = '<!-- plugins:end -->';

type Language = 'en' | 'es';

const headings: Record<Language, string[]> = {
  en: ['Plugin', 'Facts', 'Readings', 'Source', 'OS'],
  es: ['Plugin', 'Datos', 'Lecturas', 'Origen', 'SO'],
};
const everywhere: Record<Language, string> = { en: 'all', es: 'todos' };
/** From the README in that language to the sources. */
const pluginFolders: Record<Language, string> = { en: 'plugins', es: '../plugins' };

/** @throws Error when the text has no place for the table */
export function insertPluginTable(text: string, plugins: readonly AnyPlugin[], language: Language): string {
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from === -1 || to < from) throw new Error(`no place for the plugin table: write ${begin} and ${end}`);
  return `${text.slice(0, from + begin.length)}\n\n${pluginTable(plugins, language)}\n\n${text.slice(to)}`;
}

function pluginTable(plugins: readonly AnyPlugin[], language: Language): string {
  const rows = plugins.map(({ name, facts, readings = {}, source, platforms }) => [
    `[${name}](${pluginFolders[language]}/${name}.ts)`,
    namesOf(facts),
    namesOf(readings) || '—',
    source ? inWords(source, language) : '—',
    platforms?.join(', ') ?? everywhere[language],
  ]);
  return alignTable([headings[language], ...rows]);
}

/** The few words that stand among names of files and packages. */
function inWords(source: string, language: Language): string {
  if (language === 'en') return source;
  return source.replaceAll(' and ', ' y ').replaceAll('elsewhere', 'en los demás sistemas');
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

function namesOf(facts: Facts): string {
  return Object.keys(facts).join(', ');
}
