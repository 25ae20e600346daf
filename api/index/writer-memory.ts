/**
 * writer-memory: what a writer remembers of the index from one transaction to the next.
 *
 * True only while nobody else has written and no transaction of its own has failed: then it is cleared. Bounded, as it
 * lives as long as the process.
 */
import { randomUUID } from 'node:crypto';
import type { Transaction } from './database.ts';
import type { Declarations } from './flatten.ts';
import type { KnownElements } from './long-lists.ts';
import type { Content, HostState } from './timeline.ts';

export type KnownHost = {
  id: number;
  uuid: string;
  /** The server's clock, milliseconds since 1970; null, as what follows, for a host that has no report yet. */
  firstSeenAt: number | null;
  lastSeenAt: number | null;
  name: string | null;
  state: HostState | null;
};

/** With the name of its host. */
export type NamedContent = Content & { name: string };

type NumberedTable = 'hosts' | 'contents' | 'fact_sets' | 'elements' | 'blocks' | 'paths';

/** Some tens of megabytes when full. */
const maxHosts = 20_000;
const maxContents = 40_000;
const maxFactSets = 100_000;
const maxElements = 100_000;
const maxBlocks = 100_000;
/** With their text. */
const maxKnownElements = 40_000;

export type WriterMemory = {
  /** Of the plugins that the index knows. */
  declarations: Declarations;
  /** Of a list from which on its elements are shared. */
  longListLength: number;
  /** By their UUIDs. */
  hosts: Map<string, KnownHost>;
  /** By their hashes. */
  contents: Map<string, NamedContent>;
  /** Ids by hash. */
  factSets: Map<string, number>;
  /** Ids by hash: elements of long lists, and blocks of them. */
  elements: Map<string, number>;
  blocks: Map<string, number>;
  knownElements: KnownElements;
  /** Ids by path. */
  paths: Map<string, number>;
  /** Forgets everything if another has written since, and marks the index as written by this one. */
  begin(transaction: Transaction): Promise<void>;
  /** A number that no row of the table has. */
  nextId(transaction: Transaction, table: NumberedTable): Promise<number>;
  /** Drops what has grown past its bound. Between transactions only. */
  trim(): void;
  clear(): void;
};

export function makeWriterMemory(declarations: Declarations, longListLength: number): WriterMemory {
  const hosts: WriterMemory['hosts'] = new Map();
  const contents: WriterMemory['contents'] = new Map();
  const factSets: WriterMemory['factSets'] = new Map();
  const elements: WriterMemory['elements'] = new Map();
  const blocks: WriterMemory['blocks'] = new Map();
  const knownElements: KnownElements = new Map();
  const paths: WriterMemory['paths'] = new Map();
  const lastIds = new Map<NumberedTable, number>();
  let token: string | null = null;

  function clear(): void {
    for (const map of [hosts, contents, factSets, elements, blocks, knownElements, paths, lastIds])
      map.clear();
    token = null;
  }

  return {
    declarations,
    longListLength,
    hosts,
    contents,
    factSets,
    elements,
    blocks,
    knownElements,
    paths,
    clear,
    async begin({ query, insert }) {
      const found = await query
        .selectFrom('meta')
        .select('value')
        .where('name', '=', 'writer')
        .executeTakeFirst();
      if (found && found.value === token) return;
      clear();
      token = randomUUID();
      await insert('meta', ['name', 'value'], [['writer', token]], { set: ['value'] });
    },
    async nextId({ query }, table) {
      let last = lastIds.get(table);
      if (last === undefined) {
        const found = await query
          .selectFrom(table)
          .select(({ fn }) => fn.max('id').as('id'))
          .executeTakeFirst();
        last = Number(found?.id ?? 0);
      }
      lastIds.set(table, last + 1);
      return last + 1;
    },
    trim() {
      if (hosts.size > maxHosts) hosts.clear();
      if (contents.size > maxContents) contents.clear();
      if (factSets.size > maxFactSets) factSets.clear();
      if (elements.size > maxElements) elements.clear();
      if (blocks.size > maxBlocks) blocks.clear();
      if (knownElements.size > maxKnownElements) knownElements.clear();
    },
  };
}
