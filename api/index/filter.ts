/**
 * filter: what can be asked of the index, as plain data.
 *
 * The GraphQL schema builds it, each dialect compiles it; neither knows the other. Values are
 * comparable keys already (see comparable.ts).
 */
import type { Comparable } from './comparable.ts';

/** Holds for a value that is known; an unknown one passes only `isNull: true`. */
export type Test =
  | { op: 'eq' | 'ne' | 'lt' | 'lte' | 'gt' | 'gte'; value: Comparable }
  | { op: 'in' | 'notIn'; values: readonly Comparable[] }
  | { op: 'contains' | 'startsWith' | 'endsWith'; value: string }
  | { op: 'between'; first: Comparable; last: Comparable }
  | { op: 'isNull'; value: boolean };

/** All of `tests` hold for one value. */
export type FactCondition =
  | {
      kind: 'value';
      /** Dotted from the plugin on, without list positions: `network.interfaces.mac`. */
      path: string;
      column: 'text' | 'number';
      tests: readonly Test[];
    }
  /** Some element of the list passes all of `conditions`, whose paths begin with the list's. */
  | { kind: 'some'; path: string; conditions: readonly FactCondition[] };

export type FilterOf<Field extends string> =
  | { kind: 'and' | 'or'; filters: readonly FilterOf<Field>[] }
  | { kind: 'not'; filter: FilterOf<Field> }
  | { kind: 'field'; field: Field; tests: readonly Test[] }
  /** The plugin's facts were told, and pass all of the conditions. */
  | { kind: 'facts'; plugin: string; conditions: readonly FactCondition[] };

export type ReportField = 'id' | 'host' | 'hostName' | 'collectedAt' | 'receivedAt';
export type HostField = 'id' | 'name' | 'firstSeenAt' | 'lastSeenAt';
export type ReportFilter = FilterOf<ReportField>;
export type HostFilter = FilterOf<HostField>;
