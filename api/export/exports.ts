/**
 * exports: `GET /export/…`: all that passes a filter, as one file that is written while it is read.
 *
 * No limit of cost holds here, so only so many run at a time; each takes the memory of one page, whatever it exports.
 */
import { GraphQLError, type GraphQLSchema } from 'graphql';
import type { Logger } from 'pino';
import { didYouMean } from '../../plugins/did-you-mean.ts';
import type { AnyPlugin } from '../../plugins/plugin.ts';
import type { FilterInput } from '../builder.ts';
import { maskError } from '../error-codes.ts';
import { Failure } from '../failure.ts';
import type { ForRequest } from '../index/index-store.ts';
import { askReader, readerOf } from '../index/reader-methods.ts';
import type { FilterContext } from '../schema/filter-input.ts';
import { toHostQuestion } from '../schema/host.ts';
import { toReportFilter } from '../schema/report.ts';
import { hostTable, reportTable } from './csv.ts';
import { chunksOf, type Encoding } from './encoding.ts';
import { bodyOf } from './export-body.ts';
import { type ParameterName, type Parameters, readParameters } from './export-input.ts';
import {
  type HostOfExport,
  hostRows,
  type ReportOfExport,
  reportRows,
  type RowSource,
} from './export-rows.ts';
import { hostLines, reportLines } from './ndjson.ts';
import { askInTime, type PageOptions, pagesOf } from './pages.ts';

export const exportFolder = '/export/';

/** Each keeps a thread of the index at work: with more, other questions would wait. */
export const maxExports = 4;
const busyRetrySeconds = 10;
/** A socket's own buffers last a slow client for minutes. */
const defaultStalledMs = 5 * 60_000;

export type ExportsOptions = {
  index: { forRequest: ForRequest };
  plugins: readonly AnyPlugin[];
  schema: GraphQLSchema;
  /** How long the index may work for one page. */
  queryTimeoutMs: number;
  logger: Logger;
  now: () => number;
  /** How long a client may read nothing. @default five minutes */
  stalledMs?: number;
};

export type Exports = {
  /** @param cutOff breaks the connection of this request, so that the client sees that the file is not complete */
  answer(request: Request, url: URL, cutOff?: () => void): Promise<Response>;
  /** Cuts off all that are under way. */
  close(): void;
};

type Context = FilterContext & { startedAt: number };

/** One kind of rows: what it takes, and how it is written in each format. */
type ExportKind<Row> = {
  parameters: readonly ParameterName[];
  source(given: Parameters, context: Context): Promise<RowSource<Row>>;
  formats: Record<string, (context: Context) => Encoding<Row>>;
};

const reports: ExportKind<ReportOfExport> = {
  parameters: ['filter', 'limit'],
  source: async (given, context) =>
    reportRows(await toReportFilter(given.value('filter', 'ReportFilter') as FilterInput | null, context)),
  formats: { ndjson: () => reportLines, csv: ({ plugins }) => reportTable(plugins) },
};

const hosts: ExportKind<HostOfExport> = {
  parameters: ['filter', 'asOf', 'limit'],
  async source(given, context) {
    const filter = given.value('filter', 'HostFilter') as FilterInput | null;
    const asOf = given.value('asOf', 'DateTime') as Date | null;
    return hostRows(await toHostQuestion({ filter, asOf }, context));
  },
  formats: {
    ndjson: ({ startedAt }) => hostLines(startedAt),
    csv: ({ plugins, startedAt }) => hostTable(plugins, startedAt),
  },
};

// biome-ignore lint/suspicious/noExplicitAny: each kind goes with rows of its own
const kinds: Readonly<Record<string, ExportKind<any>>> = { reports, hosts };

export const exportPaths = Object.entries(kinds).flatMap(([kind, { formats }]) =>
  Object.keys(formats).map((format) => `${exportFolder}${kind}.${format}`),
);

export function openExports(options: ExportsOptions): Exports {
  const { index, plugins, schema, queryTimeoutMs, logger, now, stalledMs = defaultStalledMs } = options;
  const running = new Set<AbortController>();
  let closed = false;

  async function answer(request: Request, url: URL, cutOff?: () => void): Promise<Response> {
    if (!exportPaths.includes(url.pathname)) return notFound(url);
    if (request.method !== 'GET' && request.method !== 'HEAD') return notAllowed(request);
    const ending = new AbortController();
    const leave = () => ending.abort(new Failure('UNAVAILABLE', 'the client has gone'));
    if (request.signal.aborted) leave();
    request.signal.addEventListener('abort', leave, { once: true });
    const release = () => {
      running.delete(ending);
      request.signal.removeEventListener('abort', leave);
    };
    try {
      const isHead = request.method === 'HEAD';
      if (!isHead && (closed || running.size >= maxExports)) throw busy();
      if (!isHead) running.add(ending);
      const { chunks, headers } = await prepare(url, ending.signal);
      if (isHead) {
        release();
        return new Response(null, { headers });
      }
      // What cannot be answered is told with a status as long as there can be one.
      const first = await chunks.next();
      const body = bodyOf(chunks, first, {
        signal: ending.signal,
        stalledMs,
        cutOff,
        onEnd(cause) {
          release();
          if (cause !== null && !request.signal.aborted)
            logger.error({ err: cause, path: url.pathname }, 'export was cut off');
        },
      });
      return new Response(body, { headers });
    } catch (cause) {
      release();
      return problem(cause, url);
    }
  }

  /** Checks what was given, and reads nothing yet. */
  async function prepare(url: URL, signal: AbortSignal) {
    const [name = '', format = ''] = url.pathname.slice(exportFolder.length).split('.');
    const kind = kinds[name];
    const encode = kind?.formats[format];
    if (!kind || !encode) throw new Error(`no export for ${url.pathname}`);
    const given = readParameters(url.searchParams, kind.parameters, schema);
    const asking: PageOptions = { index, timeoutMs: queryTimeoutMs, signal, limit: given.limit };
    const startedAt = now();
    const context: Context = {
      plugins,
      startedAt,
      now: () => startedAt,
      index: readerOf((method, args) => askInTime(asking, (reader) => askReader(reader, method, args))),
    };
    const encoding = encode(context);
    const source = await kind.source(given, context);
    return {
      chunks: chunksOf(pagesOf(source, asking), encoding),
      headers: {
        'content-type': encoding.contentType,
        'content-disposition': `attachment; filename="${name}-${compactTime(startedAt)}.${format}"`,
        'cache-control': 'no-store',
      },
    };
  }

  function problem(cause: unknown, url: URL): Response {
    const causes: unknown[] = cause instanceof AggregateError ? cause.errors : [cause];
    const errors = causes.map((each) => toGraphqlError(each));
    const code = String(errors[0]?.extensions.code);
    const status = statuses[code] ?? 500;
    if (status === 500) logger.error({ err: cause, path: url.pathname }, 'export failed');
    const retryAfter = errors[0]?.extensions.retryAfter;
    return errorResponse(
      status,
      errors,
      retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) },
    );
  }

  return {
    answer,
    close() {
      closed = true;
      for (const ending of running) ending.abort(new Failure('UNAVAILABLE', 'the API is stopping'));
    },
  };
}

const statuses: Readonly<Record<string, number>> = {
  BAD_USER_INPUT: 400,
  UNAVAILABLE: 503,
  QUERY_TIMEOUT: 504,
};

function toGraphqlError(cause: unknown): GraphQLError {
  const error = maskError(cause, 'internal error');
  return error instanceof GraphQLError ? error : new GraphQLError(error.message);
}

function busy(): GraphQLError {
  return new GraphQLError(`${maxExports} exports are under way, and no more at a time: try again later`, {
    extensions: { code: 'UNAVAILABLE', retryAfter: busyRetrySeconds },
  });
}

function notFound({ pathname }: URL): Response {
  const hint = didYouMean(pathname, exportPaths) ?? `there are ${exportPaths.join(', ')}`;
  const error = new GraphQLError(`no ${pathname} here: ${hint}`, { extensions: { code: 'NOT_FOUND' } });
  return errorResponse(404, [error]);
}

function notAllowed({ method }: Request): Response {
  const message = `${method} is not answered here: use GET, with the filter as JSON in ?filter=`;
  const error = new GraphQLError(message, { extensions: { code: 'METHOD_NOT_ALLOWED' } });
  return errorResponse(405, [error], { allow: 'GET, HEAD' });
}

function errorResponse(
  status: number,
  errors: readonly GraphQLError[],
  headers: Record<string, string> = {},
): Response {
  const body = { errors: errors.map(({ message, extensions }) => ({ message, extensions })) };
  return Response.json(body, { status, headers });
}

/** 20260501T100000Z */
function compactTime(at: number): string {
  return new Date(at).toISOString().replace(/[-:]|\.\d+/g, '');
}
