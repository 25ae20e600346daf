/**
 * submit-report: the mutation that agents send their reports with.
 *
 * Strict on the envelope, which is refused whole; lenient on facts, which are kept as sent.
 */
import type { Builder, TypeRef } from '../builder.ts';
import type { ReportRow } from '../index/index-store.ts';
import { isTooDeep, maxJsonDepth } from '../json-depth.ts';
import { type PluginStatus, reportFormat, type StoredReport } from '../log/stored-report.ts';
import { inputError } from './input-error.ts';
import type { PluginStatusType } from './plugin-result.ts';

const maxNameLength = 255;
const maxResults = 1000;
/** A year: who reports more rarely than that does not report. */
const maxIntervalSeconds = 366 * 24 * 60 * 60;

type HostInput = { id: string; name: string; labels?: Record<string, string> | null };
type PluginResultInput = {
  plugin: string;
  version?: number | null;
  status: PluginStatus;
  durationMs?: number | null;
  facts?: NonNullable<unknown> | null;
  readings?: NonNullable<unknown> | null;
  error?: string | null;
};
export type SubmitReportInput = {
  id?: string | null;
  host: HostInput;
  agentVersion?: string | null;
  intervalSeconds?: number | null;
  collectedAt: Date;
  results: PluginResultInput[];
};
type Payload = { report: ReportRow; duplicate: boolean };

export function defineSubmitReport(
  builder: Builder,
  status: PluginStatusType,
  report: TypeRef<ReportRow>,
): void {
  const hostInput = builder.inputRef<HostInput>('HostInput').implement({
    description: 'The host that a report is about.',
    fields: (t) => ({
      id: t.field({ type: 'UUID', required: true, description: 'Made once by the agent and kept.' }),
      name: t.string({ required: true, description: 'Its host name.' }),
      labels: t.field({ type: 'Labels', description: "As in the agent's config." }),
    }),
  });
  const resultInput = builder.inputRef<PluginResultInput>('PluginResultInput').implement({
    description: 'What one plugin gave.',
    fields: (t) => ({
      plugin: t.string({ required: true, description: 'Its name; once in a report.' }),
      version: t.int({ description: "The agent's version of it." }),
      status: t.field({ type: status, required: true }),
      durationMs: t.float({ description: 'How long it took, in milliseconds; null when it was not asked.' }),
      facts: t.field({
        type: 'JSON',
        description: 'What the host is; kept as sent, whether it fits or not.',
      }),
      readings: t.field({
        type: 'JSON',
        description: 'What it measured; kept as sent, whether it fits or not.',
      }),
      error: t.string({ description: 'Why it failed.' }),
    }),
  });
  const input = builder.inputRef<SubmitReportInput>('SubmitReportInput').implement({
    description: 'A report.',
    fields: (t) => ({
      id: t.field({
        type: 'UUID',
        description:
          'Version 7, made by the agent, so that a resend is recognised; the server makes one if absent.',
      }),
      host: t.field({ type: hostInput, required: true }),
      agentVersion: t.string(),
      intervalSeconds: t.float({
        description: 'How often this agent reports; null when it does so by hand.',
      }),
      collectedAt: t.field({ type: 'DateTime', required: true, description: "The host's clock." }),
      results: t.field({ type: [resultInput], required: true }),
    }),
  });
  const payload = builder.objectRef<Payload>('SubmitReportPayload').implement({
    description: 'The report is durably stored.',
    fields: (t) => ({
      report: t.field({ type: report, resolve: (parent) => parent.report }),
      duplicate: t.exposeBoolean('duplicate', {
        description: 'A report of this id was there before, and this one added nothing.',
      }),
    }),
  });
  builder.mutationField('submitReport', (t) =>
    t.field({
      type: payload,
      description: 'Stores a report; answered only once it is durable. Sending it again does no harm.',
      args: { input: t.arg({ type: input, required: true }) },
      resolve: (_root, args, { intake, makeId, now }) => {
        return intake.submit(toStoredReport(args.input, makeId, now()));
      },
    }),
  );
}

/** @throws GraphQLError BAD_USER_INPUT with the path of what is wrong in the envelope */
export function toStoredReport(input: SubmitReportInput, makeId: () => string, now: number): StoredReport {
  const { host, collectedAt, results, intervalSeconds = null } = input;
  checkName(host.name, ['input', 'host', 'name']);
  const year = collectedAt.getUTCFullYear();
  if (year < 1970 || year > 9999)
    throw inputError(['input', 'collectedAt'], 'must be in the years 1970 to 9999');
  if (intervalSeconds !== null && (intervalSeconds <= 0 || intervalSeconds > maxIntervalSeconds)) {
    throw inputError(['input', 'intervalSeconds'], `must be more than 0, and at most ${maxIntervalSeconds}`);
  }
  if (results.length > maxResults) {
    throw inputError(['input', 'results'], `must be at most ${maxResults}, but are ${results.length}`);
  }
  const seen = new Set<string>();
  for (const [position, result] of results.entries()) {
    const { plugin, durationMs } = result;
    const path = ['input', 'results', position] as const;
    checkName(plugin, [...path, 'plugin']);
    for (const name of ['facts', 'readings'] as const) {
      if (isTooDeep(result[name]))
        throw inputError([...path, name], `must be nested at most ${maxJsonDepth} deep`);
    }
    if (seen.has(plugin)) throw inputError([...path, 'plugin'], `${JSON.stringify(plugin)} is there twice`);
    if ((durationMs ?? 0) < 0) throw inputError([...path, 'durationMs'], 'must not be negative');
    seen.add(plugin);
  }
  return {
    format: reportFormat,
    id: input.id ?? makeId(),
    host: { id: host.id, name: host.name, labels: host.labels ?? {} },
    agentVersion: input.agentVersion?.toWellFormed() ?? null,
    intervalSeconds,
    collectedAt: collectedAt.toISOString(),
    receivedAt: new Date(now).toISOString(),
    results: results.map((result) => ({
      plugin: result.plugin,
      version: result.version ?? null,
      status: result.status,
      durationMs: result.durationMs ?? null,
      facts: result.facts ?? null,
      readings: result.readings ?? null,
      error: result.error?.toWellFormed() ?? null,
    })),
  };
}

function checkName(name: string, path: readonly (string | number)[]): void {
  if (!name.isWellFormed() || name.includes('\0')) throw inputError(path, 'must be well-formed text');
  if (name.trim() === '') throw inputError(path, 'must not be empty');
  if (name.length > maxNameLength) throw inputError(path, `must be at most ${maxNameLength} characters`);
}
