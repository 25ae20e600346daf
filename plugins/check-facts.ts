/**
 * check-facts: holds what was collected or received against a plugin's declaration.
 *
 * Each single value is checked on its own, so that one that does not fit costs only itself. The agent
 * treats any problem as a failure of the plugin; the server keeps what was sent and shows what fits.
 */
import { type Fact, type Facts, isScalar, type ScalarFact, type ScalarKind, scalarKinds } from './fact.ts';

/** One thing that does not fit. `path` is dotted, list positions included: `interfaces.2.mac`. */
export type FactProblem = { path: string; message: string };

/** What is said of a value that is not there and should be. */
export const missing = 'is missing';

export type CheckedFacts = {
  /** Every declared fact by name, in declared order: what of it fits, otherwise null. */
  values: Record<string, unknown>;
  problems: FactProblem[];
  /** Paths of what is not declared: a newer plugin on the other side, or a typing error. */
  undeclared: string[];
};

/** Never throws: whatever is not a record of facts is one problem at the empty path. */
export function checkFacts(facts: Facts, input: unknown): CheckedFacts {
  const found: Omit<CheckedFacts, 'values'> = { problems: [], undeclared: [] };
  return { values: checkRecord(facts, input, '', found) ?? checkRecord(facts, {}, '') ?? {}, ...found };
}

type Findings = Omit<CheckedFacts, 'values'>;
const ignored = (): Findings => ({ problems: [], undeclared: [] });

/** Null when the input is no record at all. */
function checkRecord(
  facts: Facts,
  input: unknown,
  path: string,
  found = ignored(),
): Record<string, unknown> | null {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    found.problems.push({ path, message: 'must be an object that maps names to values' });
    return null;
  }
  const given = input as Record<string, unknown>;
  const at = (name: string) => (path === '' ? name : `${path}.${name}`);
  for (const name of Object.keys(given)) if (!Object.hasOwn(facts, name)) found.undeclared.push(at(name));
  return Object.fromEntries(
    Object.entries(facts).map(([name, fact]) => {
      const value = Object.hasOwn(given, name) ? given[name] : null;
      return [name, checkFact(fact, value, at(name), found)];
    }),
  );
}

function checkFact(fact: Fact, value: unknown, path: string, found: Findings): unknown {
  if (value === null || value === undefined) {
    if (fact.nullable === false) found.problems.push({ path, message: missing });
    return null;
  }
  if (fact.kind !== 'list') return checkScalar(fact, value, path, found);
  if (!Array.isArray(value)) {
    found.problems.push({ path, message: 'must be a list' });
    return null;
  }
  // An element that does not fit at all is left out; one that fits in part keeps that part.
  const { of } = fact;
  return value
    .map((element, position) => {
      const here = `${path}.${position}`;
      return isScalar(of) ? checkScalar(of, element, here, found) : checkRecord(of, element, here, found);
    })
    .filter((element) => element !== null);
}

/**
 * Values that certainly fit their kind, told without its schema, which takes ten times as long: a host has thousands of
 * packages, and each collection is checked. Whatever is not certain is left to the schema.
 */
const certainlyFits: { [K in ScalarKind]?: (value: unknown) => boolean } = {
  text: isPlainText,
  version: isPlainText,
  count: isWholeNumber,
  bytes: isWholeNumber,
  boolean: (value) => typeof value === 'boolean',
};

function isPlainText(value: unknown): boolean {
  return typeof value === 'string' && value.length < 1_000 && /^[ -~]+$/.test(value);
}

function isWholeNumber(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function checkScalar(fact: ScalarFact, value: unknown, path: string, { problems }: Findings): unknown {
  if (certainlyFits[fact.kind]?.(value)) return value;
  const { success, data, error } = scalarKinds[fact.kind].schema.safeParse(value);
  if (success) return data;
  problems.push({ path, message: error.issues.map(({ message }) => message).join('; ') });
  return null;
}
