/**
 * cursor: a place in an ordered list as opaque text, and back.
 *
 * It holds what the row is ordered by and its id, not a count of rows: what arrives or goes in the meantime
 * neither repeats nor hides anything.
 */
import { z } from 'zod';
import { inputError } from './input-error.ts';

/** What a cursor of one kind of list holds. */
export type CursorKind<Place> = {
  /** Names the order: a cursor of another is refused. */
  order: string;
  place: z.ZodType<Place>;
};

const escapedNul = /(?<!\\)(?:\\\\)*\\u0000/;
const cursorSchema = z.tuple([z.string(), z.unknown()]);

export function encodeCursor<Place>({ order }: CursorKind<Place>, place: Place): string {
  return Buffer.from(JSON.stringify([order, place])).toString('base64url');
}

/**
 * @param argument the name of the argument that held the cursor, for the error
 * @throws GraphQLError BAD_USER_INPUT when it is no cursor, or one of a list in another order
 */
export function decodeCursor<Place>(
  { order, place: kind }: CursorKind<Place>,
  cursor: string,
  argument: string,
): Place {
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  const parsed = cursorSchema.safeParse(parseJson(text));
  // No row is ordered by a text with U+0000, which PostgreSQL would refuse.
  if (!parsed.success || escapedNul.test(text)) throw inputError([argument], notACursor(cursor));
  const [ofOrder, place] = parsed.data;
  if (ofOrder !== order) {
    throw inputError(
      [argument],
      `the cursor is of a list ordered by ${ofOrder}, this one is by ${order}: keep to one order, or begin without a cursor`,
    );
  }
  const known = kind.safeParse(place);
  if (!known.success) throw inputError([argument], notACursor(cursor));
  return known.data;
}

function notACursor(cursor: string): string {
  const shown = cursor.length > 40 ? `${cursor.slice(0, 40)}…` : cursor;
  return `not a cursor: use an endCursor or startCursor of this list, not ${JSON.stringify(shown)}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
