/**
 * stored-report: one report as it lies in the bucket, a line of JSON that stands for itself.
 *
 * Written by the API when a report arrives; read by catch-up and by whoever opens the bucket with
 * another tool. A field, once written, keeps its name and meaning for ever; new ones may be added.
 */
import { z } from 'zod';

/** Raised when a reader of the old form could misread the new one. */
export const reportFormat = 1;

export const pluginStatuses = ['OK', 'ERROR', 'TIMEOUT', 'SKIPPED'] as const;
export type PluginStatus = (typeof pluginStatuses)[number];

const jsonValue = z.unknown();

const storedResult = z.object({
  plugin: z.string(),
  /** The agent's version of the plugin; null when it did not say. */
  version: z.int().nullable(),
  status: z.enum(pluginStatuses),
  durationMs: z.number().nullable(),
  /** As sent, whether it fits the server's declaration or not; null when there are none. */
  facts: jsonValue,
  readings: jsonValue,
  error: z.string().nullable(),
});

const storedReport = z.object({
  format: z.literal(reportFormat),
  id: z.uuid(),
  host: z.object({
    id: z.uuid(),
    name: z.string(),
    labels: z.record(z.string(), z.string()),
    /** The id that its disk came with from another machine; absent where it was made here, or the agent did not say. */
    clonedFrom: z.uuid().optional(),
  }),
  agentVersion: z.string().nullable(),
  /** How often the agent reports; null when it does so by hand or did not say. */
  intervalSeconds: z.number().nullable(),
  /** The host's clock, RFC 3339, UTC. */
  collectedAt: z.iso.datetime(),
  /** The server's clock, RFC 3339, UTC; decides the segment's date and hour. */
  receivedAt: z.iso.datetime(),
  results: z.array(storedResult),
  /** How many reports before this one never left the agent; absent when the agent did not say. */
  droppedReports: z.int().nonnegative().optional(),
});

export type StoredResult = z.output<typeof storedResult>;
export type StoredReport = z.output<typeof storedReport>;

/** @throws ZodError, or SyntaxError, when the line is not a report of a known format */
export function parseStoredReport(line: string): StoredReport {
  return storedReport.parse(JSON.parse(line));
}
