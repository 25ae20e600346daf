/** random-facts: JSON of a plugin that nobody declares, with lists of any length and names that may hold dots. */
import type { Random } from './noise.ts';

const names = ['a', 'b', 'a.b', 'list', ''];
const scalars = ['x', 'y', 'Äx', '', 0, 1, 2.5, true, false, null];

/** @param longest of its lists, of which most are shorter */
export function randomFacts(random: Random, longest: number): Record<string, unknown> {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  /** Of some facts no name holds a dot. */
  const known = random() < 0.5 ? names : names.filter((name) => !name.includes('.'));
  const record = (depth: number): Record<string, unknown> =>
    Object.fromEntries(
      Array.from({ length: 1 + Math.floor(random() * 3) }, () => [pick(known), value(depth + 1)]),
    );
  const value = (depth: number): unknown => {
    const kind = depth > 4 ? 0 : Math.floor(random() * 5);
    if (kind < 2) return pick(scalars);
    if (kind === 2) return record(depth);
    return Array.from({ length: Math.floor(random() * (longest + 1)) }, () => value(depth + 1));
  };
  return record(0);
}
