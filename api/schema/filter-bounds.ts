/** filter-bounds: deeper and longer filters than anyone writes would only serve to exhaust the database. */
import { type InputPath, inputError } from './input-error.ts';

const maxDepth = 20;
export const maxFilterParts = 100;

/** @throws GraphQLError BAD_USER_INPUT */
export function countNesting(depth: number, path: InputPath): void {
  if (depth > maxDepth) throw inputError(path, `filters may be nested ${maxDepth} deep, no deeper`);
}
