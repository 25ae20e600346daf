/**
 * filter: what can be asked of the index, as plain data.
 *
 * The GraphQL schema builds it, each dialect compiles it; neither knows the other. Values are
 * comparable keys already (see comparable.ts).
 */
import type { PluginStatus } from '../log/stored-report.ts';
import type { Comparable } from './comparable.ts';

/** Of texts only: `value` and `values` are folded already (see comparable.ts). */
type Folding = { ignoreCase?: boolean };

/** Holds for a value that is known; an unknown one passes only `isNull: true`. */
export type Test =
  | ({ op: 'eq' | 'ne'; value: Comparable } & Folding)
  | { op: 'lt' | 'lte' | 'gt' | 'gte'; value: Comparable }
  | ({ op: 'in' | 'notIn'; values: readonly Comparable[] } & Folding)
  | ({ op: 'contains' | 'startsWith' | 'endsWith'; value: string } & Folding)
  | { op: 'between' | 'outside'; first: Comparable; last: Comparable }
  /** All tests of at least one of these groups. */
  | { op: 'any'; of: readonly (readonly Test[])[] }
  | { op: 'isNull'; value: boolean };

/** A condition on the facts of one plugin, or on one element of a list in them. */
export type FactCondition =
  | {
      /**
       * All of `tests` hold for one value.
       *
       * value: the one in the record that the condition is on. anywhere: some value of this path, in whatever list element.
       * length: how many elements a list has, of which an unknown list has no number.
       */
      kind: 'value' | 'anywhere' | 'length';
      /** Dotted from the plugin on, without list positions: `network.interfaces.mac`. */
      path: string;
      column: 'text' | 'number';
      tests: readonly Test[];
    }
  | {
      /** Elements of a known list that pass all of `conditions`, whose paths begin with the list's. */
      kind: 'some' | 'every' | 'none';
      path: string;
      conditions: readonly FactCondition[];
    }
  /** Something was told at this path, in whatever list element, be it an empty list. */
  | { kind: 'told'; path: string }
  | { kind: 'and' | 'or'; conditions: readonly FactCondition[] }
  | { kind: 'not'; condition: FactCondition };

type FilterOf<Own> =
  | { kind: 'and' | 'or'; filters: readonly FilterOf<Own>[] }
  | { kind: 'not'; filter: FilterOf<Own> }
  /** The plugin's facts were told, and pass all of the conditions. */
  | { kind: 'facts'; plugin: string; conditions: readonly FactCondition[] }
  /** A plugin's result in the report, or in the host's newest one. */
  | { kind: 'result'; plugin: string; statuses: readonly PluginStatus[] | null; error: readonly Test[] }
  | Own;

export type ReportField = 'id' | 'host' | 'collectedAt' | 'receivedAt';
export type ReportFilter = FilterOf<
  | { kind: 'field'; field: ReportField; tests: readonly Test[] }
  /** The host as it is now. */
  | { kind: 'host'; filter: HostFilter }
>;

/** How long a host may be silent: this many of its intervals and so much more, or, where that is not known, so long. */
export type Allowance = { intervals: number; plusMs: number; unknownMs: number };

export type HostField = 'id' | 'firstSeenAt' | 'lastSeenAt';
export type HostFilter = FilterOf<
  | { kind: 'field'; field: HostField; tests: readonly Test[] }
  /** At `now` (milliseconds since 1970), or at the moment in the past that is asked about. */
  | { kind: 'silent'; longerThan: Allowance; now: number }
  /** A fact became another at or after this instant, milliseconds since 1970. */
  | { kind: 'changed'; since: number }
  /** The host as it is now, whatever moment is asked about. */
  | { kind: 'now'; filter: HostFilter }
>;

/** Anything that holds of reports as well as of hosts. */
export type FactsFilter = FilterOf<never>;

/** All that is given must hold. */
export type ChangeFilter = {
  /** The host as it is now. */
  host: HostFilter | null;
  /** Report ids. */
  reports: readonly string[] | null;
  plugin: string | null;
  /** This path, or what lies below it. */
  path: string | null;
  /** Milliseconds since 1970, by the clock of the host or the server, whichever was behind: `start` inclusive, `end` not. */
  start: number | null;
  end: number | null;
  /** Canonical JSON (see fact-set.ts). */
  before: string | null;
  after: string | null;
  /** Also what a host told of a plugin for the first time. */
  initial: boolean;
};
