/**
 * cursor: a place in an ordered list as opaque text, and back.
 *
 * It holds the row's own value and id, not a count of rows: what arrives or goes in the meantime
 * neither repeats nor hides anything.
 */
import { z } from 'zod';
import type { Order, Position } from '../index/index-store.ts';
import { inputError } from './input-error.ts';

const cursorSchema = z.tuple([z.string(), z.string(), z.union([z.string(), z.number()]), z.uuid()]);

export function encodeCursor(order: Order<string>, { value, id }: Position): string {
  return Buffer.from(JSON.stringify([order.field, order.direction, value, id])).toString('base64url');
}

/**
 * @param argument the name of the argument that held the cursor, for the error
 * @throws GraphQLError BAD_USER_INPUT when it is no cursor, or one of a list in another order
 */
export function decodeCursor(order: Order<string>, cursor: string, argument: string): Position {
  const parsed = cursorSchema.safeParse(parseJson(Buffer.from(cursor, 'base64url').toString('utf8')));
  if (!parsed.success)
    throw inputError([argument], 'not a cursor: use an endCursor or startCursor of this list');
  const [field, direction, value, id] = parsed.data;
  if (typeof value !== (field === 'NAME' ? 'string' : 'number')) throw inputError([argument], 'not a cursor');
  if (field !== order.field || direction !== order.direction) {
    throw inputError(
      [argument],
      `the cursor is of a list ordered by ${field} ${direction}, this one is by ${order.field} ${order.direction}`,
    );
  }
  return { value, id };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
