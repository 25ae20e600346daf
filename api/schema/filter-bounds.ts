/** filter-bounds: deeper and longer filters than anyone writes would only serve to exhaust the database. */
import type { HostFilter, ReportFilter } from '../index/filter.ts';
import { type InputPath, inputError } from './input-error.ts';

export const maxFilterDepth = 20;
export const maxFilterParts = 100;

/** @throws GraphQLError BAD_USER_INPUT */
export function countNesting(depth: number, path: InputPath): void {
  if (depth > maxFilterDepth)
    throw inputError(path, `filters may be nested ${maxFilterDepth} deep, no deeper`);
}

/** Longer than what facts are looked for by: it is sought in each of them. In characters. */
export const maxTextLength = 10_000;

/** @throws GraphQLError BAD_USER_INPUT */
export function checkLength(text: string, path: InputPath, most = maxTextLength): void {
  if (text.length > most)
    throw inputError(path, `must be at most ${most} characters, but has ${text.length}`);
}

/** Each is looked at for every row: of a thousand a row takes milliseconds. */
export const maxConditions = 1_000;

/**
 * That a filter as a whole is no larger than that.
 *
 * @throws GraphQLError BAD_USER_INPUT
 */
export function checkSize(filter: ReportFilter | HostFilter, path: InputPath): void {
  const size = conditionsIn(filter);
  if (size <= maxConditions) return;
  throw inputError(
    path,
    `holds ${size} conditions, and may hold ${maxConditions}: take fewer, or several queries`,
  );
}

/** Whatever a filter or condition is made of: its leaves. */
type Part = { [name: string]: unknown };

function conditionsIn(part: Part): number {
  const inner = Object.values(part).flatMap((value) => (Array.isArray(value) ? value : [value]));
  const parts = inner.filter((value): value is Part => typeof value === 'object' && value !== null);
  return parts.length === 0 ? 1 : parts.reduce((sum, each) => sum + conditionsIn(each), 0);
}
