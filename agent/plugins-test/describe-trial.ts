/** describe-trial: what a plugin brought and cost, as text for people; pure. */
import { type Fact, type Facts, isScalar, unitOf } from '../../plugins/fact.ts';
import { deniedPaths } from '../doctor/plugin-checks.ts';
import type { Run, Trial } from './command.ts';

/** Of a list: enough to see whether it is right. */
const shownElements = 3;
const shownLength = 100;

export function describeTrial({ configured, first, second }: Trial): string {
  const { name, version, description, facts, readings } = configured.plugin;
  const { result } = second;
  const sections = [
    ...(result.facts ? [{ title: 'facts', declared: facts, values: result.facts }] : []),
    ...(result.readings && readings
      ? [{ title: 'readings', declared: readings, values: result.readings }]
      : []),
  ];
  const values = sections.flatMap(({ title, declared, values }) => [
    title,
    ...Object.entries(declared).flatMap(([field, fact]) => valueLines(field, fact, values[field], '  ')),
    // A command needs to declare nothing.
    ...Object.entries(values)
      .filter(([field]) => !Object.hasOwn(declared, field))
      .map(([field, value]) => `  ${field} (not declared): ${shown(value)}`),
  ]);
  return `${[
    `${name} (version ${version}): ${description}`,
    runLine('first', first),
    runLine('second', second),
    ...deniedLine(first),
    ...values,
    ...remarks(second, { ...facts, ...readings }),
  ].join('\n')}\n`;
}

function runLine(which: string, { result, cpuMs, processes }: Run): string {
  const { status, durationMs, error } = result;
  const took = durationMs === null ? 'not asked' : `${durationMs.toFixed(1)} ms`;
  const started = processes === null ? 'cut short' : `${processes} processes started`;
  const why = error === null ? '' : `: ${error}`;
  return `  ${which.padEnd(6)}  ${status.padEnd(7)}  ${took}, ${cpuMs} ms of CPU, ${started}${why}`;
}

function deniedLine({ denied }: Run): string[] {
  return denied.length === 0 ? [] : [`  denied  may not read ${deniedPaths(denied).join(', ')}`];
}

function valueLines(name: string, fact: Fact, value: unknown, indent: string): string[] {
  const unit = unitOf(fact);
  const kind = `(${[fact.kind, unit].filter(Boolean).join(', ')})`;
  if (fact.kind !== 'list' || !Array.isArray(value)) return [`${indent}${name} ${kind}: ${shown(value)}`];
  const { of } = fact;
  const lines = value
    .slice(0, shownElements)
    .map((element) =>
      isScalar(of) ? `${indent}  ${shown(element)}` : `${indent}  ${recordLine(of, element)}`,
    );
  const more = value.length - lines.length;
  return [
    `${indent}${name} (list): ${value.length} elements`,
    ...lines,
    ...(more > 0 ? [`${indent}  and ${more} more`] : []),
  ];
}

function recordLine(declared: Facts, record: Record<string, unknown>): string {
  return shown(Object.fromEntries(Object.keys(declared).map((name) => [name, record[name]])));
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null';
  return text.length <= shownLength ? text : `${text.slice(0, shownLength - 1)}…`;
}

/** What is no fault, and still worth a thought. */
function remarks({ result, processes }: Run, declared: Facts): string[] {
  if (result.status === 'SKIPPED') return ['nothing to report on this host, which is no failure'];
  if (result.status !== 'OK') return [];
  const values = { ...result.facts, ...result.readings };
  const unknown = Object.keys(declared).filter((name) => values[name] === null);
  return [
    ...(unknown.length > 0 ? [`unknown on this host: ${unknown.join(', ')}`] : []),
    ...(processes !== null && processes > 0
      ? [
          `each collection starts ${processes} processes: keep the answer in the plugin's cache, or give it an interval`,
        ]
      : []),
  ];
}
