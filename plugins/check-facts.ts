/**
 * check-facts: holds what was collected or received against a plugin's declaration.
 *
 * Each fact is checked on its own, so that one value that does not fit costs only itself. The agent
 * treats any problem as a failure of the plugin; the server keeps what was sent and shows what fits.
 */
import { type Facts, factSchema, isScalar } from './fact.ts';

/** One thing that does not fit. `path` is dotted, list positions included: `interfaces.2.mac`. */
export type FactProblem = { path: string; message: string };

export type CheckedFacts = {
  /** Every declared fact by name, in declared order: its value where it fits, otherwise null. */
  values: Record<string, unknown>;
  problems: FactProblem[];
  /** Names that the declaration does not have: a newer plugin on the other side, or a typing error. */
  undeclared: string[];
};

/** Never throws: whatever is not a record of facts is one problem at the empty path. */
export function checkFacts(facts: Facts, input: unknown): CheckedFacts {
  const values: Record<string, unknown> = {};
  const problems: FactProblem[] = [];
  const given = isRecord(input) ? input : {};
  if (!isRecord(input)) problems.push({ path: '', message: 'must be an object that maps names to values' });
  for (const [name, fact] of Object.entries(facts)) {
    const sent = Object.hasOwn(given, name) ? (given[name] ?? null) : null;
    if (sent === null) {
      values[name] = null;
      if (fact.nullable === false) problems.push({ path: name, message: 'is missing' });
      continue;
    }
    const result = factSchema(fact).safeParse(sent);
    values[name] = result.success ? complete(fact, result.data) : null;
    for (const issue of result.error?.issues ?? []) {
      problems.push({ path: [name, ...issue.path].join('.'), message: issue.message });
    }
  }
  return { values, problems, undeclared: Object.keys(given).filter((name) => !Object.hasOwn(facts, name)) };
}

/** Fills in null for what was left out, so that one meaning has one form (and one hash). */
function complete(fact: Facts[string], value: unknown): unknown {
  if (value === undefined || value === null) return null;
  if (fact.kind !== 'list' || isScalar(fact.of) || !Array.isArray(value)) return value;
  const names = Object.entries(fact.of);
  return value.map((record) => Object.fromEntries(names.map(([n, of]) => [n, complete(of, record[n])])));
}

function isRecord(input: unknown): input is Record<string, unknown> {
  return typeof input === 'object' && input !== null && !Array.isArray(input);
}
