/** chunks: bounds the values of one statement: databases allow some ten thousand. */
const chunkSize = 1_000;

/** The rows that `find` gives for each part of the values. */
export async function inChunks<Value, Row>(
  values: Iterable<Value>,
  find: (part: Value[]) => Promise<Row[]>,
  size = chunkSize,
): Promise<Row[]> {
  const all = [...values];
  const rows: Row[] = [];
  for (let from = 0; from < all.length; from += size) {
    for (const row of await find(all.slice(from, from + size))) rows.push(row);
  }
  return rows;
}
