/**
 * plugin-table: the table of plugins in the READMEs, from what the plugins declare.
 */
import type { Facts } from '../plugins/fact.ts';
import type { AnyPlugin } from '../plugins/plugin.ts';

const begin = '<!-- plugins:begin (made by npm run generate) -->';
const end = '<!-- plugins:end -->';

const headings = {
  en: ['Plugin', 'Facts', 'Readings', 'Source', 'OS'],
  es: ['Plugin', 'Datos', 'Lecturas', 'Origen', 'SO'],
} as const;
const everywhere = { en: 'all', es: 'todos' } as const;

/** @throws Error when the text has no place for the table */
export function insertPluginTable(
  text: string,
  plugins: readonly AnyPlugin[],
  language: 'en' | 'es',
): string {
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from === -1 || to < from) throw new Error(`no place for the plugin table: write ${begin} and ${end}`);
  return `${text.slice(0, from + begin.length)}\n${pluginTable(plugins, language)}\n${text.slice(to)}`;
}

function pluginTable(plugins: readonly AnyPlugin[], language: 'en' | 'es'): string {
  const rows = plugins.map((plugin) => [
    `\`${plugin.name}\``,
    namesOf(plugin.facts),
    namesOf(plugin.readings ?? {}) || '—',
    plugin.source ?? '—',
    plugin.platforms?.join(', ') ?? everywhere[language],
  ]);
  const lines = [headings[language], headings[language].map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function namesOf(facts: Facts): string {
  return Object.keys(facts)
    .map((name) => `\`${name}\``)
    .join(', ');
}
