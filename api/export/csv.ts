/**
 * csv: rows as RFC 4180, with a head: own fields first, then a column `plugin.field` for every fact and reading that the
 * server's plugins declare.
 *
 * Whatever is not a single value is JSON in its cell. An empty cell is null, or was not told. Text that a spreadsheet would
 * take for a formula begins with an apostrophe.
 */
import { stringify } from 'csv-stringify/sync';
import type { AnyPlugin } from '../../plugins/plugin.ts';
import type { ResultRow } from '../index/index-store.ts';
import type { Encoding } from './encoding.ts';
import type { HostOfExport, ReportOfExport } from './export-rows.ts';
import { hostFields } from './ndjson.ts';

const contentType = 'text/csv; charset=utf-8; header=present';

const reportFields = [
  'id',
  'host',
  'hostName',
  'labels',
  'agentVersion',
  'intervalSeconds',
  'clonedFrom',
  'collectedAt',
  'receivedAt',
  // Otherwise a plugin that failed would look like one that told nothing.
  'failures',
] as const;

const fieldsOfHost = [
  'id',
  'name',
  'labels',
  'status',
  'firstSeenAt',
  'lastSeenAt',
  'agentVersion',
  'intervalSeconds',
  'clonedFrom',
] as const satisfies (keyof ReturnType<typeof hostFields>)[];

export function reportTable(plugins: readonly AnyPlugin[]): Encoding<ReportOfExport> {
  return table(reportFields, plugins, (row) => {
    const { name, ...told } = row.hostFacts;
    const failures = row.results
      .filter(({ status }) => status !== 'OK')
      .map(({ plugin, status, error }) => ({ plugin, status, error }));
    const own = {
      ...{ id: row.id, host: row.hostId, hostName: name, ...told },
      collectedAt: new Date(row.collectedAt).toISOString(),
      receivedAt: new Date(row.receivedAt).toISOString(),
      failures: failures.length > 0 ? failures : null,
    };
    return { own, results: row.results };
  });
}

/** @param now milliseconds since 1970: hosts as of now have their status then */
export function hostTable(plugins: readonly AnyPlugin[], now: number): Encoding<HostOfExport> {
  return table(fieldsOfHost, plugins, ({ host, results }) => ({ own: hostFields(host, now), results }));
}

function table<Row, Field extends string>(
  fields: readonly Field[],
  plugins: readonly AnyPlugin[],
  read: (row: Row) => { own: Record<Field, unknown>; results: readonly ResultRow[] },
): Encoding<Row> {
  const told = plugins.map(({ name, facts, readings }) => ({
    name,
    facts: Object.keys(facts),
    readings: Object.keys(readings ?? {}),
  }));
  const names = told.flatMap(({ name, facts, readings }) =>
    [...facts, ...readings].map((field) => `${name}.${field}`),
  );
  return {
    contentType,
    head: record([...fields, ...names]),
    line(row) {
      const { own, results } = read(row);
      const cells = fields.map((field) => own[field]);
      for (const { name, facts, readings } of told) {
        const result = results.find(({ plugin }) => plugin === name);
        for (const field of facts) cells.push(valueIn(result?.facts, field));
        for (const field of readings) cells.push(valueIn(result?.readings, field));
      }
      return record(cells.map(toCell));
    },
  };
}

/** As sent: it may be anything, and anything may be missing. */
function valueIn(values: unknown, field: string): unknown {
  if (typeof values !== 'object' || values === null || !Object.hasOwn(values, field)) return null;
  return (values as Record<string, unknown>)[field];
}

function toCell(value: unknown): string | number | null {
  if (typeof value === 'string' || typeof value === 'number') return value;
  return value === null || value === undefined ? null : JSON.stringify(value);
}

function record(cells: readonly (string | number | null)[]): string {
  return stringify([[...cells]], { record_delimiter: 'windows', escape_formulas: true });
}
