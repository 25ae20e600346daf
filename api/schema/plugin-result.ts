/**
 * plugin-result: what one plugin gave in one report, as it was sent, with what does not fit marked.
 */
import { checkFacts, type FactProblem, missing } from '../../plugins/check-facts.ts';
import type { AnyPlugin } from '../../plugins/plugin.ts';
import type { AnswerSize } from '../answer-size.ts';
import type { Builder, TypeRef } from '../builder.ts';
import type { ResultRow } from '../index/index-store.ts';
import type { PluginStatus } from '../log/stored-report.ts';

const statusValues = {
  OK: { description: 'It told its facts and readings.' },
  ERROR: { description: 'It failed; `error` says how.' },
  TIMEOUT: { description: 'It took longer than the agent allows.' },
  SKIPPED: {
    description:
      'It has nothing to report on this host; or it kept failing and waits until it is tried again, as `error` says.',
  },
} satisfies Record<PluginStatus, { description: string }>;

export type PluginStatusType = ReturnType<typeof definePluginStatus>;

export function definePluginStatus(builder: Builder) {
  return builder.enumType('PluginStatus', { description: 'How a plugin fared.', values: statusValues });
}

export function definePluginResult(
  builder: Builder,
  status: PluginStatusType,
  plugins: readonly AnyPlugin[],
): TypeRef<ResultRow> {
  const problem = builder.objectRef<FactProblem>('FactProblem').implement({
    description: "A value that does not fit the server's declaration of the plugin; it is kept as sent.",
    fields: (t) => ({
      path: t.exposeString('path', { description: 'Dotted, list positions included: interfaces.2.mac.' }),
      message: t.exposeString('message', { description: 'What is wrong with it.' }),
    }),
  });
  return builder.objectRef<ResultRow>('PluginResult').implement({
    description: 'What one plugin gave in one report.',
    fields: (t) => ({
      plugin: t.exposeString('plugin', { description: 'Its name.' }),
      version: t.exposeInt('version', { nullable: true, description: "The agent's version of it." }),
      status: t.field({ type: status, resolve: (result) => result.status }),
      durationMs: t.exposeFloat('durationMs', {
        nullable: true,
        description:
          'How long it took, in milliseconds; null when it was not asked for this report, and its facts are those of an earlier one.',
      }),
      error: t.exposeString('error', { nullable: true, description: 'Why it failed, or waits after that.' }),
      facts: t.field({
        type: 'JSON',
        nullable: true,
        description: 'What the host is, as sent.',
        resolve: ({ facts }, _args, { size }) => asSent(facts, size),
      }),
      readings: t.field({
        type: 'JSON',
        nullable: true,
        description: 'What it measured, as sent; null when it was not asked for this report.',
        resolve: ({ readings }, _args, { size }) => asSent(readings, size),
      }),
      problems: t.field({
        type: [problem],
        description:
          'What of it does not fit; empty for a plugin that the server does not know. What is not there is not told.',
        resolve: (result) => problemsOf(plugins, result),
      }),
    }),
  });
}

/** JSON as it was sent, which counts by its length. */
export function asSent<Value>(value: Value, size: AnswerSize): Value {
  size.addJson(value);
  return value;
}

function problemsOf(plugins: readonly AnyPlugin[], result: ResultRow): FactProblem[] {
  const plugin = plugins.find((known) => known.name === result.plugin);
  if (!plugin || (result.facts === null && result.readings === null)) return [];
  const facts = checkFacts(plugin.facts, result.facts ?? {}).problems;
  const readings = checkFacts(plugin.readings ?? {}, result.readings ?? {}).problems;
  // Readings are not there where the plugin was not asked. For the rest the agent holds it to what it declares: what is
  // not there after that was taken out by the config of the agent.
  return [...facts, ...readings].filter(({ message }) => message !== missing);
}
