/**
 * plugin: what a collector plugin is, and `definePlugin`, which checks one.
 *
 * Owns the declaration that agent, stored reports, GraphQL types, filters and docs derive from.
 * This module is the whole interface for plugin authors: `import … from 'os-inspector/plugin'`.
 */
import { z } from 'zod';
import { durationPattern } from './duration.ts';
import { type Facts, type FactValues, isScalar, type ListElement, scalarKinds } from './fact.ts';

export type { Fact, FactKind, Facts, FactValues, ListElement, ListFact, ScalarFact } from './fact.ts';
export {
  boolean,
  bytes,
  count,
  duration,
  hertz,
  instant,
  ip,
  list,
  mac,
  number,
  ratio,
  text,
  version,
} from './fact.ts';
export { z };

/** What the agent hands to `collect`. */
export type CollectContext<O = unknown> = {
  /** Aborted when the plugin's time is up or the agent stops; pass it on to whatever takes one. */
  signal: AbortSignal;
  /** The `options` of this plugin's entry in the agent's config, checked by the plugin's own schema. */
  options: O;
  /** Where the host's file system begins: `/`, or a folder where it is mounted or recorded. */
  root: string;
  /**
   * Kept from one collection to the next for as long as the agent runs, and this plugin's alone:
   * for counters to compare with, and for answers that are dear and never change.
   */
  cache: Map<string, unknown>;
};

/** What `process.platform` may say. */
export type Platform = (typeof platforms)[number];
const platforms = [
  ...(['aix', 'android', 'cygwin', 'darwin', 'freebsd', 'haiku'] as const),
  ...(['linux', 'netbsd', 'openbsd', 'sunos', 'win32'] as const),
];

export type Plugin<F extends Facts = Facts, R extends Facts = Facts, O = unknown> = {
  /** Names the facts everywhere: in paths, as a GraphQL field and in the config. camelCase. */
  name: string;
  /** Raised when a fact is renamed, retyped or comes to mean something else; adding one is safe. */
  version: number;
  /** One line for people: what these facts tell. */
  description: string;
  /** What the host *is*: inventory that changes rarely, and whose changes matter. */
  facts: F;
  /** What it *measured just now*; never part of a change. */
  readings?: R;
  /** Where the facts come from, for the docs: files, calls, per operating system. */
  source?: string;
  /** Where it can collect anything at all; elsewhere it is skipped. Absent means everywhere. */
  platforms?: readonly Platform[];
  /**
   * How long what it collected holds, as `1h` or `1d`, unless the config says otherwise: for facts that are dear and change
   * rarely. Until then reports carry what it said last. Absent means that each report asks anew.
   */
  interval?: string;
  /** Checks and completes the `options` of the config. Absent means that options are passed as they are. */
  options?: z.ZodType<O>;
  /**
   * Returns facts and readings together, by name; null when there is nothing to report on this host.
   * Whatever it throws becomes the `error` of its result.
   */
  collect(context: CollectContext<O>): Promise<FactValues<NoInfer<F & R>> | null>;
};

/** Any plugin, its types forgotten: what a config or a package hands over at run time. */
// biome-ignore lint/suspicious/noExplicitAny: collect is contravariant in its options, so unknown would refuse every plugin
export type AnyPlugin = Plugin<Facts, Facts, any>;

/** What a plugin says of itself: plain data, which can be sent, printed and compared. */
export type PluginDeclaration = Omit<AnyPlugin, 'collect' | 'options'>;

/** Fields that every report or host has of its own, and so no plugin's name can be. */
export const reservedPluginNames: readonly string[] = [
  ...['id', 'name', 'host', 'hosts', 'report', 'reports', 'collectedAt', 'receivedAt', 'agentVersion'],
  ...['result', 'results', 'fact', 'facts', 'reading', 'readings', 'label', 'labels', 'plugin', 'plugins'],
  ...['firstSeenAt', 'lastSeenAt', 'status', 'hostName', 'and', 'or', 'not', 'change', 'changes', 'query'],
  ...['mutation', 'subscription', 'problems', 'intervalSeconds', 'boolean', 'int', 'float', 'string', 'json'],
];

const identifier = z
  .string()
  .regex(/^[a-z][a-zA-Z0-9]*$/, 'must be camelCase: a letter, then letters and digits');
const description = z.string().min(1);
const nullable = z.boolean().optional();

const scalarDeclaration = z.strictObject({
  kind: z.enum(Object.keys(scalarKinds) as (keyof typeof scalarKinds)[]),
  description,
  unit: z.string().min(1).optional(),
  nullable,
});
const listDeclaration = z
  .strictObject({
    kind: z.literal('list'),
    description,
    nullable,
    get of(): z.ZodType<ListElement> {
      return z.union([scalarDeclaration, factsDeclaration]);
    },
    key: z.union([z.string(), z.array(z.string()).min(1)]).optional(),
  })
  .superRefine(({ of, key }, ctx) => {
    for (const name of key === undefined ? [] : [key].flat()) {
      const fact = isScalar(of) || !Object.hasOwn(of, name) ? undefined : of[name];
      if (fact && fact.kind !== 'list') continue;
      ctx.addIssue({ code: 'custom', path: ['key'], message: `${name} is no single value of its records` });
    }
  });
/** Filters combine conditions by these. */
const reservedFactNames = ['and', 'or', 'not'];
const factName = identifier.refine(
  (name) => !reservedFactNames.includes(name),
  `must not be ${reservedFactNames.join(', ')}: filters are combined by these`,
);
const factsDeclaration: z.ZodType<Facts> = z
  .record(factName, z.discriminatedUnion('kind', [scalarDeclaration, listDeclaration]))
  .refine((facts) => Object.keys(facts).length > 0, 'must name at least one');

const pluginDeclaration = z
  .strictObject({
    name: identifier.refine(
      (name) => !reservedPluginNames.includes(name),
      'is a name that every report has already',
    ),
    version: z.int32().positive(),
    description,
    facts: factsDeclaration,
    readings: factsDeclaration.optional(),
    source: description.optional(),
    platforms: z.array(z.enum(platforms)).optional(),
    interval: z.string().regex(durationPattern, 'must be a length of time such as "1h"').optional(),
    options: z.custom((value) => value instanceof z.ZodType, 'must be a zod schema').optional(),
    collect: z.custom((value) => typeof value === 'function', 'must be a function'),
  })
  .superRefine((plugin, ctx) => {
    for (const name of Object.keys(plugin.readings ?? {})) {
      if (!Object.hasOwn(plugin.facts, name)) continue;
      ctx.addIssue({ code: 'custom', path: ['readings', name], message: 'is declared as a fact already' });
    }
  });

/**
 * Returns its argument, checked. A plain object of the same shape serves as well: whoever loads a
 * plugin passes it through here.
 *
 * @throws TypeError that names every problem with its path, when the declaration is wrong
 */
export function definePlugin<
  const F extends Facts,
  const R extends Facts = Record<never, never>,
  O = unknown,
>(plugin: Plugin<F, R, O>): Plugin<F, R, O> {
  const { error } = pluginDeclaration.safeParse(plugin);
  if (!error) return plugin;
  const problems = error.issues.map((issue) => `${issue.path.join('.') || 'plugin'}: ${issue.message}`);
  throw new TypeError(
    `plugin ${JSON.stringify(plugin?.name ?? null)} is not declared right: ${problems.join('; ')}`,
  );
}
