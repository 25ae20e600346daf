/** version-range: reads ranges of versions such as `>=12 <13 || 14.*`. */
import { versionKey, versionPrefix } from '../index/comparable.ts';
import type { Test } from '../index/filter.ts';

export const versionRangeExample = '">=12 <13", "6.1.* || >=6.6"';

const operators = { '>=': 'gte', '<=': 'lte', '!=': 'ne', '>': 'gt', '<': 'lt', '=': 'eq' } as const;
const comparator = /\s*(>=|<=|!=|>|<|=)?\s*([^\s<>=!|]+)/y;

/** Tests of a version's key; null when the text is no range. */
export function parseVersionRange(text: string): (Test & { op: 'any' }) | null {
  const groups = text.split('||').map(parseGroup);
  return groups.every((group) => group !== null) ? { op: 'any', of: groups } : null;
}

/** Comparators that all have to hold. */
function parseGroup(text: string): Test[] | null {
  const tests: Test[] = [];
  let position = 0;
  while (text.slice(position).trim() !== '') {
    comparator.lastIndex = position;
    const [whole, operator = '=', version = ''] = comparator.exec(text) ?? [];
    if (whole === undefined) return null;
    const test = parseComparator(operator as keyof typeof operators, version);
    if (!test) return null;
    tests.push(test);
    position += whole.length;
  }
  return tests.length > 0 ? tests : null;
}

function parseComparator(operator: keyof typeof operators, version: string): Test | null {
  if (!/\d/.test(version)) return null;
  const op = operators[operator];
  if (!version.endsWith('.*')) return { op, value: versionKey(version) };
  return op === 'eq' ? { op: 'startsWith', value: versionPrefix(version.slice(0, -1)) } : null;
}
