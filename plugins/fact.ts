/**
 * fact: the kinds of value a plugin can declare, and what follows from each kind.
 *
 * A fact is plain data (`{ kind, description, … }`), so that a declaration can be read, printed and
 * compared. Everything else derives from its kind through one table: the zod schema that checks a
 * value, its TypeScript type, its JSON Schema and how filters compare it.
 */
import { isIP } from 'node:net';
import { z } from 'zod';

/** How two values of a kind are ordered and matched; each has one filter type in the GraphQL schema. */
export const comparisons = [
  ...(['text', 'number', 'boolean', 'instant', 'duration', 'bytes', 'version', 'ip', 'mac'] as const),
] as const;
export type Comparison = (typeof comparisons)[number];

/** Six octets for Ethernet and Wi-Fi, eight for FireWire and ZigBee, twenty for InfiniBand. */
const macPattern = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}(?:(?::[0-9a-f]{2}){2}|(?::[0-9a-f]{2}){14})?$/;

/** Long enough for any name or command line, short enough that no single value can swamp a report. */
const maxTextLength = 65_536;

/** Half a surrogate pair has no UTF-8, and PostgreSQL stores no U+0000. */
const words = z
  .string()
  .min(1, 'must not be empty: unknown is null')
  .max(maxTextLength)
  .refine((value) => value.isWellFormed(), 'must be well-formed: it holds half a surrogate pair')
  .refine((value) => !value.includes('\0'), 'must not hold U+0000');

type KindInfo = { schema: z.ZodType; compare: Comparison; unit: string | null };

/** Every kind of single value. The key is what `kind` holds in a declaration. */
export const scalarKinds = {
  text: { schema: words, compare: 'text', unit: null },
  count: { schema: z.int().nonnegative(), compare: 'number', unit: null },
  number: { schema: z.number(), compare: 'number', unit: null },
  bytes: { schema: z.int().nonnegative(), compare: 'bytes', unit: 'bytes' },
  hertz: { schema: z.number().positive(), compare: 'number', unit: 'hertz' },
  ratio: { schema: z.number().min(0).max(1), compare: 'number', unit: null },
  boolean: { schema: z.boolean(), compare: 'boolean', unit: null },
  instant: {
    schema: z.iso.datetime({ offset: true }),
    compare: 'instant',
    unit: null,
  },
  duration: { schema: z.number().nonnegative(), compare: 'duration', unit: 'seconds' },
  version: { schema: words, compare: 'version', unit: null },
  ip: {
    schema: z
      .string()
      .refine((value) => isIP(value) > 0 && !value.includes('%'), 'must be an IPv4 or IPv6 address')
      .meta({ anyOf: [{ format: 'ipv4' }, { format: 'ipv6' }] }),
    compare: 'ip',
    unit: null,
  },
  mac: {
    schema: z.string().regex(macPattern, 'must be lower-case hexadecimal octets with colons'),
    compare: 'mac',
    unit: null,
  },
} as const satisfies Record<string, KindInfo>;

export type ScalarKind = keyof typeof scalarKinds;
export type FactKind = ScalarKind | 'list';

/** A single value. `nullable` is true where it is absent: a host may always be unable to tell. */
export type ScalarFact<K extends ScalarKind = ScalarKind, N extends boolean = boolean> = {
  kind: K;
  description: string;
  /** Unit of a `number`; the other kinds have theirs by definition. */
  unit?: string;
  nullable?: N;
};

/** Values in an order the plugin keeps stable; null means unknown, empty means there are none. */
export type ListFact<E extends ListElement = ListElement, N extends boolean = boolean> = {
  kind: 'list';
  description: string;
  nullable?: N;
  /** One scalar fact for a list of values, or named facts for a list of records. */
  of: E;
  /**
   * Facts of the record that together tell an element from the others, such as an interface's name: what changed is then
   * told by element. Without it, an element that changed is one that went and one that came.
   */
  key?: string | readonly string[];
};

export type Fact = ScalarFact | ListFact;
export type ListElement = ScalarFact | Facts;
export type Facts = { readonly [name: string]: Fact };

type ScalarValue<K extends ScalarKind> = z.output<(typeof scalarKinds)[K]['schema']>;
type ElementValue<E> = E extends { kind: infer K extends ScalarKind }
  ? ScalarValue<K>
  : E extends Facts
    ? FactValues<E>
    : never;
type Known<F> = F extends { kind: 'list'; of: infer E }
  ? ElementValue<E>[]
  : F extends { kind: infer K extends ScalarKind }
    ? ScalarValue<K>
    : never;
type RequiredNames<F extends Facts> = {
  [N in keyof F]: F[N] extends { nullable: false } ? N : never;
}[keyof F];

/** What `collect` returns for these facts: a nullable fact may be null or left out. */
export type FactValues<F extends Facts> = { [N in RequiredNames<F>]: Known<F[N]> } & {
  [N in Exclude<keyof F, RequiredNames<F>>]?: Known<F[N]> | null;
};

type Options<N extends boolean> = { nullable?: N };

function scalar<K extends ScalarKind>(kind: K) {
  return <const N extends boolean = true>(
    description: string,
    options?: Options<N>,
  ): ScalarFact<K, N> & { nullable: N } => ({
    kind,
    description,
    nullable: (options?.nullable ?? true) as N,
  });
}

export const text = scalar('text');
export const count = scalar('count');
export const bytes = scalar('bytes');
export const hertz = scalar('hertz');
export const ratio = scalar('ratio');
export const boolean = scalar('boolean');
export const instant = scalar('instant');
export const duration = scalar('duration');
export const version = scalar('version');
export const ip = scalar('ip');
export const mac = scalar('mac');

/** Any other quantity; name its unit, or leave it out for a plain number such as a load average. */
export function number<const N extends boolean = true>(
  description: string,
  options?: Options<N> & { unit?: string },
): ScalarFact<'number', N> & { nullable: N } {
  const { unit, nullable } = options ?? {};
  return { kind: 'number', description, nullable: (nullable ?? true) as N, ...(unit ? { unit } : {}) };
}

/** A list of records (`of` names their facts) or of single values (`of` is one fact). */
export function list<const E extends ListElement, const N extends boolean = true>(
  description: string,
  of: E,
  options?: Options<N> & Pick<ListFact, 'key'>,
): ListFact<E, N> & { nullable: N } {
  const { nullable, key } = options ?? {};
  return { kind: 'list', description, nullable: (nullable ?? true) as N, of, ...(key ? { key } : {}) };
}

/** Whether a list holds single values; otherwise it holds records. */
export function isScalar(element: ListElement): element is ScalarFact {
  return typeof element.kind === 'string';
}

/** The unit a value is in, or null for a plain number or anything that has none. */
export function unitOf(fact: Fact): string | null {
  if (fact.kind === 'list') return null;
  return fact.unit ?? scalarKinds[fact.kind].unit;
}

const schemas = new WeakMap<object, z.ZodType>();

/** The zod schema that a value of this fact must fit; made once for each declaration. */
export function factSchema(fact: Fact): z.ZodType {
  return memoize(fact, () => {
    const known = fact.kind === 'list' ? z.array(elementSchema(fact.of)) : scalarKinds[fact.kind].schema;
    const described = known.meta({ description: fact.description });
    return fact.nullable === false ? described : described.nullish();
  });
}

/** The zod schema of a whole record of facts; unknown names are refused. */
export function factsSchema(facts: Facts): z.ZodType {
  return memoize(facts, () =>
    z.strictObject(Object.fromEntries(Object.entries(facts).map(([name, fact]) => [name, factSchema(fact)]))),
  );
}

/** JSON Schema (draft 2020-12) of a record of facts, for tools that do not speak GraphQL. */
export function factsJsonSchema(facts: Facts): Record<string, unknown> {
  return z.toJSONSchema(factsSchema(facts), { io: 'input' });
}

function elementSchema(element: ListElement): z.ZodType {
  return isScalar(element) ? scalarKinds[element.kind].schema : factsSchema(element);
}

function memoize(key: object, make: () => z.ZodType): z.ZodType {
  let schema = schemas.get(key);
  if (!schema) {
    schema = make();
    schemas.set(key, schema);
  }
  return schema;
}
