/** describe-plugins: what plugins collect, as aligned text for people. */
import { type Fact, type Facts, isScalar, unitOf } from '../plugins/fact.ts';
import type { PluginDeclaration } from '../plugins/plugin.ts';

/** One row: path, kind, unit and description. */
type Row = [string, string, string, string];

/** Each plugin with its version and description, then a line for every fact and reading. */
export function describePlugins(plugins: readonly PluginDeclaration[]): string {
  return plugins.map(describePlugin).join('\n');
}

function describePlugin({ name, version, description, facts, readings }: PluginDeclaration): string {
  const sections = [
    { title: 'facts', rows: rowsOf(facts) },
    ...(readings ? [{ title: 'readings', rows: rowsOf(readings) }] : []),
  ];
  const all = sections.flatMap(({ rows }) => rows);
  const widths = [0, 1, 2].map((i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
  const lines = sections.flatMap(({ title, rows }) => [
    `  ${title}`,
    ...rows.map((row) => align(row, widths)),
  ]);
  return [`${name} (version ${version}): ${description}`, ...lines, ''].join('\n');
}

function align(row: Row, widths: readonly number[]): string {
  return `    ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd();
}

function rowsOf(facts: Facts, prefix = ''): Row[] {
  return Object.entries(facts).flatMap(([name, fact]) => {
    const row: Row = [prefix + name, kindOf(fact), unitOf(fact) ?? '', fact.description];
    const isRecords = fact.kind === 'list' && !isScalar(fact.of);
    return isRecords ? [row, ...rowsOf(fact.of as Facts, `${prefix}${name}.`)] : [row];
  });
}

function kindOf(fact: Fact): string {
  if (fact.kind !== 'list') return fact.kind;
  return isScalar(fact.of) ? `list of ${fact.of.kind}` : 'list';
}
