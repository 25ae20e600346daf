/** outcome: what became of one collection, held against what the plugin declares. */
import { checkFacts } from '../plugins/check-facts.ts';
import { didYouMean } from '../plugins/did-you-mean.ts';
import type { PluginDeclaration } from '../plugins/plugin.ts';
import { errorText } from './error-text.ts';
import type { PluginResult } from './report.ts';

/** A result without the name of its plugin and without times. */
export type Outcome = Pick<PluginResult, 'status' | 'facts' | 'readings' | 'error'>;

/** What becomes of a value that a plugin did not declare. */
export type Undeclared = 'refused' | 'kept';

/**
 * Holds what a plugin returned against what it declares, and parts facts from readings.
 *
 * @param undeclared whether a value that is not declared is an error, or a fact that is kept as it stands
 */
export function toOutcome(
  plugin: PluginDeclaration,
  collected: unknown,
  undeclared: Undeclared = 'refused',
): Outcome {
  if (collected === null) return without('SKIPPED');
  const declared = { ...plugin.facts, ...plugin.readings };
  const { values, problems, undeclared: strays } = checkFacts(declared, collected);
  const isKept = (name: string) => undeclared === 'kept' && Object.hasOwn(collected as object, name);
  const complaints = [
    ...problems.map(({ path, message }) => `${path || 'what collect returned'}: ${message}`),
    ...strays
      .filter((name) => !isKept(name))
      .map((name) => {
        const hint = didYouMean(name, Object.keys(declared)) ?? 'declare it in facts or readings';
        return `${name}: is not declared, ${hint}`;
      }),
  ];
  if (complaints.length > 0) return without('ERROR', errorText(`wrong facts: ${complaints.join('; ')}`));
  const pick = (names: object) => Object.fromEntries(Object.keys(names).map((name) => [name, values[name]]));
  const readings = plugin.readings ? pick(plugin.readings) : null;
  const kept = strays.filter(isKept).map((name) => [name, (collected as Record<string, unknown>)[name]]);
  const facts = { ...pick(plugin.facts), ...Object.fromEntries(kept) };
  return { status: 'OK', facts, readings, error: null };
}

/** One that brought nothing. */
export function without(status: PluginResult['status'], error: string | null = null): Outcome {
  return { status, facts: null, readings: null, error };
}
