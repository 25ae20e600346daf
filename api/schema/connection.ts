/**
 * connection: Relay connections over any list of the index.
 *
 * What a query does not select is not computed: the total and the flags of the far side cost a query
 * each only when asked for.
 */
import { z } from 'zod';
import type { ArgBuilder, Builder, TypeRef } from '../builder.ts';
import type { Order, Position, SliceOf } from '../index/index-store.ts';
import { costs } from '../query-cost.ts';
import { type CursorKind, decodeCursor, encodeCursor } from './cursor.ts';
import { inputError } from './input-error.ts';

const defaultPageSize = 50;
const maxPageSize = 1000;

export type PageArgs = {
  first?: number | null;
  after?: string | null;
  last?: number | null;
  before?: string | null;
};

export type Edge<Row> = { node: Row; cursor: string };

export type Connection<Row> = {
  edges: Edge<Row>[];
  hasNextPage: () => Promise<boolean> | boolean;
  hasPreviousPage: () => Promise<boolean> | boolean;
  totalCount: () => Promise<number>;
};

export type ListSource<Row, Place> = {
  cursor: CursorKind<Place>;
  list(slice: SliceOf<Place>): Promise<Row[]>;
  count(): Promise<number>;
  position(row: Row): Place;
};

const positionSchema = z.object({ value: z.union([z.string(), z.number(), z.null()]), id: z.uuid() });

/** The cursors of a list that is ordered by one value, whose type this is. */
export function cursorOf(
  { field, direction }: Order<string>,
  value: z.ZodType<Position['value']>,
): CursorKind<Position> {
  return { order: `${field} ${direction}`, place: positionSchema.extend({ value }) };
}

/** The arguments that every connection field takes. */
export function pageArgs(t: ArgBuilder) {
  return {
    first: t.arg.int({
      description: `How many from the front, at most ${maxPageSize}; ${defaultPageSize} if not told.`,
    }),
    after: t.arg.string({ description: 'Only what comes after this cursor.' }),
    last: t.arg.int({
      description: `How many from the back, at most ${maxPageSize}; not together with first.`,
    }),
    before: t.arg.string({ description: 'Only what comes before this cursor.' }),
  };
}

/** What a page may cost, by the size that is asked for. */
export function pageCost({ first, last }: PageArgs) {
  return costs.page(Math.min(first ?? last ?? defaultPageSize, maxPageSize));
}

/**
 * One page of a list.
 *
 * @throws GraphQLError BAD_USER_INPUT for page sizes or cursors that cannot be
 */
export async function resolveConnection<Row, Place>(
  args: PageArgs,
  source: ListSource<Row, Place>,
): Promise<Connection<Row>> {
  const { cursor, list, count, position } = source;
  const { size, fromEnd } = pageSize(args);
  const after = typeof args.after === 'string' ? decodeCursor(cursor, args.after, 'after') : undefined;
  const before = typeof args.before === 'string' ? decodeCursor(cursor, args.before, 'before') : undefined;
  const bounds = { ...(after ? { after } : {}), ...(before ? { before } : {}) };

  // One more than asked for tells whether the list goes on.
  const found = await list({ ...bounds, limit: size + 1, fromEnd });
  const goesOn = found.length > size;
  const rows = goesOn ? (fromEnd ? found.slice(1) : found.slice(0, size)) : found;
  const [first, last] = [rows[0], rows.at(-1)];

  // A page that begins where the list does, or ends where it ends, has nothing on that side: no need to ask.
  const anythingBefore = async () => {
    if (after === undefined) return false;
    if (first) return (await list({ before: position(first), limit: 1, fromEnd: true })).length > 0;
    return (await list({ limit: 1 })).length > 0;
  };
  const anythingAfter = async () => {
    if (before === undefined) return false;
    if (last) return (await list({ after: position(last), limit: 1 })).length > 0;
    return (await list({ limit: 1 })).length > 0;
  };

  return {
    edges: rows.map((node) => ({ node, cursor: encodeCursor(cursor, position(node)) })),
    hasNextPage: fromEnd ? anythingAfter : () => goesOn,
    hasPreviousPage: fromEnd ? () => goesOn : anythingBefore,
    totalCount: count,
  };
}

function pageSize({ first, last }: PageArgs): { size: number; fromEnd: boolean } {
  if (typeof first === 'number' && typeof last === 'number') {
    throw inputError(['last'], 'cannot be used together with first: take one of them');
  }
  const fromEnd = typeof last === 'number';
  const size = (fromEnd ? last : first) ?? defaultPageSize;
  if (size < 0 || size > maxPageSize) {
    throw inputError([fromEnd ? 'last' : 'first'], `must be from 0 to ${maxPageSize}, but is ${size}`);
  }
  return { size, fromEnd };
}

/**
 * Returns what defines `<name>Connection` and `<name>Edge` for a type; all of them share one `PageInfo`.
 */
export function connectionTypes(builder: Builder) {
  const pageInfo = definePageInfo(builder);
  return <Row extends object>(name: string, node: TypeRef<Row>): TypeRef<Connection<Row>> => {
    const edge = builder.objectRef<Edge<Row>>(`${name}Edge`).implement({
      description: `A ${name} and its place in the list.`,
      fields: (t) => ({
        cursor: t.exposeString('cursor', { description: 'Its place, for after and before.' }),
        node: t.field({ type: node, complexity: costs.row, resolve: (parent) => parent.node as never }),
      }),
    });
    return builder.objectRef<Connection<Row>>(`${name}Connection`).implement({
      description: `A page of a list of ${name}s.`,
      fields: (t) => ({
        nodes: t.field({
          type: [node],
          complexity: costs.row,
          resolve: (parent) => parent.edges.map((item) => item.node) as never,
        }),
        edges: t.field({
          type: [edge],
          complexity: { field: 1, multiplier: 1 },
          resolve: (parent) => parent.edges,
        }),
        pageInfo: t.field({ type: pageInfo, resolve: (parent) => parent }),
        totalCount: t.int({
          complexity: costs.total,
          description: 'How many pass the filter, on all pages.',
          resolve: (parent) => parent.totalCount(),
        }),
      }),
    });
  };
}

export type ConnectionTypes = ReturnType<typeof connectionTypes>;

function definePageInfo(builder: Builder) {
  return builder.objectRef<Connection<unknown>>('PageInfo').implement({
    description: 'Where a page lies in its list (Relay).',
    fields: (t) => ({
      hasNextPage: t.boolean({ resolve: (parent) => parent.hasNextPage() }),
      hasPreviousPage: t.boolean({ resolve: (parent) => parent.hasPreviousPage() }),
      startCursor: t.string({ nullable: true, resolve: (parent) => parent.edges[0]?.cursor ?? null }),
      endCursor: t.string({ nullable: true, resolve: (parent) => parent.edges.at(-1)?.cursor ?? null }),
    }),
  });
}
