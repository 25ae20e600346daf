/** outcome: what became of one collection, held against what the plugin declares. */
import { checkFacts } from '../plugins/check-facts.ts';
import { didYouMean } from '../plugins/did-you-mean.ts';
import type { PluginDeclaration } from '../plugins/plugin.ts';
import { errorText } from './error-text.ts';
import type { PluginResult } from './report.ts';

/** A result without the name of its plugin and without times. */
export type Outcome = Pick<PluginResult, 'status' | 'facts' | 'readings' | 'error'>;

/** Holds what a plugin returned against what it declares, and parts facts from readings. */
export function toOutcome(plugin: PluginDeclaration, collected: unknown): Outcome {
  if (collected === null) return without('SKIPPED');
  const declared = { ...plugin.facts, ...plugin.readings };
  const { values, problems, undeclared } = checkFacts(declared, collected);
  const complaints = [
    ...problems.map(({ path, message }) => `${path || 'what collect returned'}: ${message}`),
    ...undeclared.map((name) => {
      const hint = didYouMean(name, Object.keys(declared)) ?? 'declare it in facts or readings';
      return `${name}: is not declared, ${hint}`;
    }),
  ];
  if (complaints.length > 0) return without('ERROR', errorText(`wrong facts: ${complaints.join('; ')}`));
  const pick = (names: object) => Object.fromEntries(Object.keys(names).map((name) => [name, values[name]]));
  const readings = plugin.readings ? pick(plugin.readings) : null;
  return { status: 'OK', facts: pick(plugin.facts), readings, error: null };
}

/** One that brought nothing. */
export function without(status: PluginResult['status'], error: string | null = null): Outcome {
  return { status, facts: null, readings: null, error };
}
