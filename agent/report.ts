/**
 * report: what the agent submits, exactly as the API's `SubmitReportInput` takes it.
 *
 * The types are written by hand: the agent knows the API by its contract alone.
 */
import { v7 as uuidv7 } from 'uuid';

export const pluginStatuses = ['OK', 'ERROR', 'TIMEOUT', 'SKIPPED'] as const;
export type PluginStatus = (typeof pluginStatuses)[number];

/** What one plugin gave. */
export type PluginResult = {
  plugin: string;
  /** Version of the plugin's declaration, by which the server knows what the facts mean. */
  version: number;
  /** SKIPPED: nothing to report on this host, which is no failure; with an `error`, one that failed before waits. */
  status: PluginStatus;
  /** Null when the plugin was not asked: its interval is not over, and facts are what it said last, or it waits. */
  durationMs: number | null;
  /** Every declared fact by name, null where unknown; null as a whole unless the status is OK. */
  facts: Record<string, unknown> | null;
  /** Likewise; also null for a plugin that declares no readings, and when it was not asked. */
  readings: Record<string, unknown> | null;
  /** One line that says what went wrong, or why it waits; null for OK. */
  error: string | null;
};

export type ReportHost = {
  /** Made once and kept: see `host-identity`. */
  id: string;
  name: string;
  labels: Record<string, string>;
};

export type SubmitReportInput = {
  /** UUID version 7, one for each report: the API takes a report that is sent again for the same one. */
  id: string;
  host: ReportHost;
  agentVersion: string;
  /** The host's clock, when collecting began. RFC 3339, UTC. */
  collectedAt: string;
  /** When the next report is to be expected; null when this one was asked for once. */
  intervalSeconds: number | null;
  results: PluginResult[];
};

export type ReportParts = {
  host: ReportHost;
  agentVersion: string;
  collectedAt: Date;
  intervalMs: number | null;
  results: PluginResult[];
};

export function buildReport({ collectedAt, intervalMs, ...rest }: ReportParts): SubmitReportInput {
  return {
    id: uuidv7(),
    host: rest.host,
    agentVersion: rest.agentVersion,
    collectedAt: collectedAt.toISOString(),
    intervalSeconds: intervalMs === null ? null : intervalMs / 1_000,
    results: rest.results,
  };
}
