/**
 * submit-report: the mutations that agents send their reports with, one or many at once.
 *
 * Strict on the envelope, which is refused whole; lenient on facts, which are kept as sent. Facts that have not
 * changed may come as their hash: what is stored has them whole.
 */
import { GraphQLError } from 'graphql';
import type { Builder, TypeRef } from '../builder.ts';
import type { ApiContext } from '../context.ts';
import { maskError } from '../error-codes.ts';
import type { ReportRow } from '../index/index-store.ts';
import { IdTaken } from '../intake.ts';
import type { Shortened } from '../known-facts.ts';
import { rateLimited } from '../limits/rate-limits.ts';
import { type InputPath, inputError } from './input-error.ts';
import type { PluginStatusType } from './plugin-result.ts';
import {
  type HostInput,
  type PluginResultInput,
  type SubmitReportInput,
  toShortened,
} from './report-input.ts';

/** As many as a segment holds. */
export const maxInputs = 1000;
type Payload = { report: ReportRow; duplicate: boolean };
type SubmitError = { code: string; message: string; path: InputPath; retryAfterSeconds: number | null };
/** Exactly one of them is there. */
type SubmitResult = { payload: Payload | null; error: SubmitError | null };

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
      clonedFrom: t.field({
        type: 'UUID',
        description: 'The id that the agent found on its disk and gave up, as it is of another machine.',
      }),
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
      factsHash: t.string({
        description:
          'Instead of facts that this host has told before: SHA-256, in base64url without padding, of the name of the plugin, U+0000 and the facts as JSON with the keys of each object in order. Answered FACTS_UNKNOWN when they are not at hand: send them whole.',
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
      droppedReports: t.int({
        description: 'How many reports since the one before this never left the agent.',
      }),
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
      authScopes: { submit: true },
      description:
        'Stores a report; answered only once it is durable. Sending it again does no harm. FACTS_UNKNOWN: send it with all its facts.',
      args: { input: t.arg({ type: input, required: true }) },
      resolve: async (_root, args, context) => {
        const [taken] = await submitAllowed([{ input: args.input, at: ['input'] }], context);
        if (taken?.status === 'fulfilled') return taken.value;
        throw taken?.reason;
      },
    }),
  );
  const error = builder.objectRef<SubmitError>('SubmitReportError').implement({
    description: 'Why a report was not stored.',
    fields: (t) => ({
      code: t.exposeString('code', { description: 'As `extensions.code` of an error.' }),
      message: t.exposeString('message'),
      path: t.field({
        type: ['String'],
        description: 'Where what is wrong is, from the arguments on; empty when it is at no place.',
        resolve: ({ path }) => path.map(String),
      }),
      retryAfterSeconds: t.exposeInt('retryAfterSeconds', {
        nullable: true,
        description: 'When to send it again; null when it says nothing of that.',
      }),
    }),
  });
  const result = builder.objectRef<SubmitResult>('SubmitReportResult').implement({
    description: 'What became of one report: exactly one of the two is there.',
    fields: (t) => ({
      payload: t.field({ type: payload, nullable: true, resolve: (parent) => parent.payload }),
      error: t.field({ type: error, nullable: true, resolve: (parent) => parent.error }),
    }),
  });
  builder.mutationField('submitReports', (t) =>
    t.field({
      type: [result],
      authScopes: { submit: true },
      description:
        'Stores reports together, and answers for each of them in their order: one that is refused costs none of the others.',
      complexity: ({ inputs }) => ({ field: 1, multiplier: Math.max(1, inputs?.length ?? 0) }),
      args: { inputs: t.arg({ type: [input], required: true }) },
      resolve: async (_root, { inputs }, context) => {
        if (inputs.length > maxInputs) {
          throw inputError(['inputs'], `must be at most ${maxInputs}, but are ${inputs.length}`);
        }
        const drafts = inputs.map((each, number) => ({ input: each, at: ['inputs', number] }));
        return (await submitAllowed(drafts, context)).map(
          (taken): SubmitResult =>
            taken.status === 'fulfilled'
              ? { payload: taken.value, error: null }
              : { payload: null, error: toSubmitError(taken.reason) },
        );
      },
    }),
  );
}

type Draft = { input: SubmitReportInput; at: InputPath };

/** As many as the identity may send now; those after them are told to come again. */
async function submitAllowed(
  drafts: readonly Draft[],
  context: ApiContext,
): Promise<PromiseSettledResult<Payload>[]> {
  const { granted, refused } = await context.limits.takeReports(context.identity, drafts.length);
  const taken = await Promise.allSettled(submitAll(drafts.slice(0, granted), context));
  if (!refused) return taken;
  const reason = rateLimited(refused);
  return [...taken, ...drafts.slice(granted).map(() => ({ status: 'rejected' as const, reason }))];
}

/** Each as it goes, so that all of them can be in one segment. */
function submitAll(drafts: readonly Draft[], context: ApiContext): Promise<Payload>[] {
  const { admission, identity, intake, knownFacts, makeId, now } = context;
  const shortened = drafts.map(({ input, at }) => attempt(() => toShortened(input, makeId, now(), at)));
  const expanded = knownFacts.expand(shortened.flatMap((draft) => ('value' in draft ? [draft.value] : [])));
  let number = 0;
  return shortened.map(async (draft, index) => {
    if ('cause' in draft) throw draft.cause;
    const place = number;
    number += 1;
    const at = drafts[index]?.at ?? [];
    await admission.check(identity, draft.value.report.host, [...at, 'host']);
    const report = (await expanded)[place];
    if (!report) throw factsUnknown(draft.value, at);
    try {
      return await intake.submit(report);
    } catch (cause) {
      throw cause instanceof IdTaken ? inputError([...at, 'id'], cause.message) : cause;
    }
  });
}

function attempt<T>(work: () => T): { value: T } | { cause: unknown } {
  try {
    return { value: work() };
  } catch (cause) {
    return { cause };
  }
}

function factsUnknown({ report, hashes }: Shortened, at: InputPath): GraphQLError {
  const [position = 0] = hashes.keys();
  const plugins = [...hashes.keys()].map((index) => report.results[index]?.plugin).join(', ');
  return new GraphQLError(`the facts behind a hash are not at hand (${plugins}): send the report whole`, {
    extensions: { code: 'FACTS_UNKNOWN', path: [...at, 'results', position, 'factsHash'] },
  });
}

/** @throws what is our own bug, which the whole answer then tells, and the server's log */
function toSubmitError(cause: unknown): SubmitError {
  const original = cause instanceof GraphQLError ? cause : maskError(cause, '');
  const { code, path, retryAfter } = (original as GraphQLError).extensions;
  if (code === 'INTERNAL_SERVER_ERROR') throw cause;
  return {
    code: String(code),
    message: original.message,
    path: Array.isArray(path) ? path : [],
    retryAfterSeconds: typeof retryAfter === 'number' ? retryAfter : null,
  };
}
