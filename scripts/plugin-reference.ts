/** plugin-reference: docs/plugins.md: every fact and reading of the built-in plugins, from what they declare. */
import { type Fact, type Facts, isScalar, unitOf } from '../plugins/fact.ts';
import type { AnyPlugin } from '../plugins/plugin.ts';

const preamble = `# Plugins

What each built-in plugin tells, made by \`npm run generate\` from its declaration. [Facts](writing-a-plugin.md#rules) are what the host
is, and their changes are kept; readings were measured just now. The path is what \`fact\`, \`changes\` and \`factCounts\` take; \`[]\` marks a
list, whose elements are told apart by the key that is named with it. Null means that the host does not tell. The same of the plugins that a host's config names:

\`\`\`sh
npx node agent/main.ts plugins
\`\`\`
`;

export function pluginReference(plugins: readonly AnyPlugin[]): string {
  return `${[preamble, ...plugins.map(sectionOf)].join('\n')}`;
}

function sectionOf({
  name,
  version,
  description,
  facts,
  readings,
  source,
  platforms,
  interval,
}: AnyPlugin): string {
  const about = [
    `Version ${version}`,
    `source: ${source ?? 'not told'}`,
    platforms ? `only on ${platforms.join(', ')}` : 'on every system',
    ...(interval ? [`collected every ${interval} unless the config says otherwise`] : []),
  ];
  const parts = [
    `## ${name}\n`,
    `${description}.\n`,
    `${about.join('; ')}.\n`,
    `${tableOf('Fact', rowsOf(name, facts))}\n`,
    ...(readings ? [`${tableOf('Reading', rowsOf(name, readings))}\n`] : []),
  ];
  return parts.join('\n');
}

function tableOf(heading: string, rows: readonly string[][]): string {
  return [[heading, 'Kind', 'Meaning'], ['---', '---', '---'], ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
}

function rowsOf(parent: string, facts: Facts): string[][] {
  return Object.entries(facts).flatMap(([name, fact]) => rowOf(`${parent}.${name}`, fact));
}

function rowOf(path: string, fact: Fact): string[][] {
  if (fact.kind !== 'list') return [[`\`${path}\``, kindOf(fact), fact.description]];
  const { of, key } = fact;
  const keyed = key === undefined ? '' : `, by ${[key].flat().join(' and ')}`;
  const kind = isScalar(of) ? `list of ${kindOf(of)}` : `list of records${keyed}`;
  const inner = isScalar(of) ? [] : rowsOf(path, of);
  return [[`\`${path}[]\``, kind, fact.description], ...inner];
}

function kindOf(fact: Fact): string {
  const unit = unitOf(fact);
  return unit && unit !== fact.kind ? `${fact.kind} (${unit})` : fact.kind;
}
