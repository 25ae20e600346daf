/**
 * shape: parts a JSON value into its shape, which is the same from one report to the next, and its values,
 * which are not; and puts them together again.
 */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** The value with null in the place of everything that is not an object or list; those are added to `values`. */
export function splitShape(value: Json, values: Json[]): Json {
  if (Array.isArray(value)) return value.map((element) => splitShape(element, values));
  if (typeof value === 'object' && value !== null) {
    const shape: { [name: string]: Json } = Object.create(null);
    for (const name of Object.keys(value)) shape[name] = splitShape(value[name] as Json, values);
    return shape;
  }
  values.push(value);
  return null;
}

/** The value that was parted. @param values an iterator that stands before its first value */
export function joinShape(shape: Json, values: Iterator<Json>): Json {
  if (Array.isArray(shape)) return shape.map((element) => joinShape(element, values));
  if (typeof shape === 'object' && shape !== null) {
    return Object.fromEntries(
      Object.entries(shape).map(([name, inner]) => [name, joinShape(inner as Json, values)]),
    );
  }
  return values.next().value ?? null;
}
