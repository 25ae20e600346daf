/**
 * sql: builds statements from pieces without ever putting a value into their text.
 */
export type SqlValue = string | number | null;
export type Sql = { text: string; params: SqlValue[] };

/** A piece of SQL: what stands in `${…}` is another piece, or a value that becomes a parameter. */
export function sql(strings: TemplateStringsArray, ...parts: (Sql | SqlValue)[]): Sql {
  const out: Sql = { text: strings[0] ?? '', params: [] };
  for (const [index, part] of parts.entries()) {
    if (typeof part === 'object' && part !== null) {
      out.text += part.text;
      out.params.push(...part.params);
    } else {
      out.text += '?';
      out.params.push(part);
    }
    out.text += strings[index + 1] ?? '';
  }
  return out;
}

/** A name or keyword that the code itself chose; never anything a user sent. */
export function raw(text: string): Sql {
  return { text, params: [] };
}

/** The pieces with a separator between them; `empty` where there are none. */
export function join(pieces: readonly (Sql | SqlValue)[], separator: string, empty = ''): Sql {
  if (pieces.length === 0) return raw(empty);
  const parts = pieces.map((piece) => sql`${piece}`);
  return {
    text: parts.map(({ text }) => text).join(separator),
    params: parts.flatMap(({ params }) => params),
  };
}
