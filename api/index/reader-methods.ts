/** reader-methods: the questions of an index by name, for what stands before it: threads, a file that is replaced, a request. */
import type { IndexReader } from './index-store.ts';

/** lookup: a few rows by their ids. list: whatever there is to be looked through. */
export const readerMethods = {
  reportsById: 'lookup',
  reports: 'list',
  reportsAmong: 'lookup',
  countReports: 'list',
  reportsOfHosts: 'list',
  countReportsOfHosts: 'list',
  reportsAt: 'lookup',
  reportCounts: 'list',
  hosts: 'list',
  countHosts: 'list',
  hostsById: 'lookup',
  latestResults: 'lookup',
  changes: 'list',
  countChanges: 'list',
  changesOf: 'list',
  countChangesOf: 'list',
  factCounts: 'list',
  factDistributions: 'list',
  pathsOf: 'lookup',
  hostFacts: 'lookup',
  ping: 'lookup',
} as const satisfies Record<keyof IndexReader, 'lookup' | 'list'>;

export type ReaderMethod = keyof IndexReader;

/** A reader whose every question goes to `ask`. */
export function readerOf(ask: (method: ReaderMethod, args: unknown[]) => Promise<unknown>): IndexReader {
  const methods = Object.keys(readerMethods) as ReaderMethod[];
  return Object.fromEntries(
    methods.map((method) => [method, (...args: unknown[]) => ask(method, args)]),
  ) as IndexReader;
}

/** Asks a reader by the name of the question. */
export function askReader(reader: IndexReader, method: ReaderMethod, args: unknown[]): Promise<unknown> {
  return (reader[method] as (...args: unknown[]) => Promise<unknown>)(...args);
}
