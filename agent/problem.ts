/**
 * problem: one thing that is wrong with the configuration, and how it is shown.
 *
 * Turns zod's issues into problems: one for each unknown key with a guess at the right one, and for a
 * value of several allowed forms the complaint of the form that was meant.
 */
import type { z } from 'zod';
import { didYouMean } from '../plugins/did-you-mean.ts';

/** `path` is dotted (`plugins.4.options.row`), or the name of an environment variable. */
export type Problem = { path: string; message: string };

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** Every problem of a value that does not fit `schema`; `base` is the path of that value. */
export function toProblems(error: z.ZodError, schema: z.ZodType, base: Path = []): Problem[] {
  return error.issues.flatMap((issue) => fromIssue(issue, schema, base, []));
}

/** The problems as text: what has them, then one line each. */
export function formatProblems(subject: string, problems: readonly Problem[]): string {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return [`${subject} has ${count}:`, ...problems.map((p) => `  ${p.path}: ${p.message}`)].join('\n');
}

function fromIssue(issue: Issue, schema: z.ZodType, base: Path, above: Path): Problem[] {
  const path = [...above, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, path);
    return issue.keys.map((key) => ({
      path: shown([...base, ...path, key]),
      message: `unknown key, ${didYouMean(key, known) ?? `known are ${known.join(', ')}`}`,
    }));
  }
  if (issue.code === 'invalid_union') {
    const meant = issue.errors.find((issues) => issues.length > 0 && issues.every(isInside));
    if (meant) return meant.flatMap((inner) => fromIssue(inner, schema, base, path));
  }
  return [{ path: shown([...base, ...path]), message: issue.message }];
}

/** Whether an issue is about something within a value of the right form, not about its form. */
function isInside(issue: Issue): boolean {
  return issue.path.length > 0 || issue.code === 'unrecognized_keys';
}

function shown(path: Path): string {
  return path.map(String).join('.') || 'config';
}

/** The keys that an object at this path may have, in declared order. */
function keysAt(schema: z.core.$ZodType, path: Path): string[] {
  const { def } = (schema as z.ZodType)._zod as unknown as { def: SchemaDef };
  const inner = def.innerType ?? def.in;
  if (inner) return keysAt(inner, path);
  if (def.options) return def.options.flatMap((option) => keysAt(option, path));
  const [key, ...rest] = path;
  if (key === undefined) return Object.keys(def.shape ?? {});
  const next = def.shape?.[String(key)] ?? def.element ?? def.valueType;
  return next ? keysAt(next, rest) : [];
}

/** What schemas of every kind hold of others: wrappers, pipes, unions, objects, lists and records. */
type SchemaDef = {
  innerType?: z.core.$ZodType;
  in?: z.core.$ZodType;
  options?: z.core.$ZodType[];
  shape?: Record<string, z.core.$ZodType>;
  element?: z.core.$ZodType;
  valueType?: z.core.$ZodType;
};
