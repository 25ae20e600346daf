/**
 * exports: `GET /export/…`: all that passes a filter, as one file that is written while it is read.
 *
 * No limit of cost holds here, so only so many run at a time; each takes the memory of one page, whatever it exports.
 */
import type { GraphQLSchema } from 'graphql';
import type { Logger } from 'pino';
import type { AnyPlugin } from '../../plugins/plugin.ts';
import { hasScope, type Identity } from '../auth/identity.ts';
import { narrowedRequests } from '../auth/narrowed-reader.ts';
import { refusal } from '../auth/scopes.ts';
import { type IsGood, noLongerGood } from '../auth/while-good.ts';
import { Failure } from '../failure.ts';
import type { ForRequest } from '../index/index-store.ts';
import { askReader, readerOf } from '../index/reader-methods.ts';
import { chunksOf } from './encoding.ts';
import { bodyOf } from './export-body.ts';
import { readParameters } from './export-input.ts';
import { type ExportContext, exportFolder, exportKinds, exportPaths } from './export-kinds.ts';
import { notAllowed, notFound, problem, unavailable } from './export-problem.ts';
import { askInTime, type PageOptions, pagesOf } from './pages.ts';

/** Each keeps a thread of the index at work: with more, other questions would wait. */
export const maxExports = 4;
/** What a socket's own buffers hold lasts a client at 12 kB/s for so long. */
const defaultStalledMs = 15 * 60_000;

export type ExportsOptions = {
  index: { forRequest: ForRequest };
  plugins: readonly AnyPlugin[];
  schema: GraphQLSchema;
  /** How long the index may work for one page. */
  queryTimeoutMs: number;
  logger: Logger;
  now: () => number;
  /** Whether who began an export may go on with it. */
  isGood: IsGood;
  /** How long a client may read nothing. @default a quarter of an hour */
  stalledMs?: number;
};

export type Exports = {
  /**
   * @param identity who asks: needs the scope read, and is given what is there for it
   * @param cutOff breaks the connection of this request, so that the client sees that the file is not complete
   */
  answer(request: Request, url: URL, identity: Identity, cutOff?: () => void): Promise<Response>;
  /** How many are under way. */
  running(): number;
  /** Cuts off all that are under way. */
  close(): void;
};

export function openExports(options: ExportsOptions): Exports {
  const { index, plugins, schema, queryTimeoutMs, logger, now, isGood } = options;
  const { stalledMs = defaultStalledMs } = options;
  const running = new Set<AbortController>();
  let closed = false;

  async function answer(
    request: Request,
    url: URL,
    identity: Identity,
    cutOff?: () => void,
  ): Promise<Response> {
    if (!hasScope(identity, 'read')) {
      return problem(refusal({ field: url.pathname, needs: ['read'] }, identity), () => {});
    }
    if (!exportPaths.includes(url.pathname)) return notFound(url, exportPaths);
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
      if (!isHead) takePlace(ending);
      const { chunks, headers } = await prepare(url, identity, ending.signal);
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
      return problem(cause, (bug) => logger.error({ err: bug, path: url.pathname }, 'export failed'));
    }
  }

  function takePlace(ending: AbortController): void {
    if (closed) throw unavailable('the API is stopping: try again later');
    if (running.size >= maxExports) {
      throw unavailable(`${maxExports} exports are under way, and no more at a time: try again later`);
    }
    running.add(ending);
  }

  /** Checks what was given, and reads no row yet. */
  async function prepare(url: URL, identity: Identity, signal: AbortSignal) {
    const [name = '', format = ''] = url.pathname.slice(exportFolder.length).split('.');
    const kind = exportKinds[name];
    const encode = kind?.formats[format];
    if (!kind || !encode) throw new Error(`no export for ${url.pathname}`);
    const given = readParameters(url.searchParams, kind.parameters, schema);
    const own = narrowedRequests(index, identity.narrowedTo);
    const asking: PageOptions = {
      index: {
        forRequest(ending) {
          if (!isGood(identity)) throw noLongerGood();
          return own.forRequest(ending);
        },
      },
      timeoutMs: queryTimeoutMs,
      signal,
      limit: given.limit,
    };
    const startedAt = now();
    const context: ExportContext = {
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

  return {
    answer,
    running: () => running.size,
    close() {
      closed = true;
      for (const ending of running) ending.abort(new Failure('UNAVAILABLE', 'the API is stopping'));
    },
  };
}

/** 20260501T100000Z */
function compactTime(at: number): string {
  return new Date(at).toISOString().replace(/[-:]|\.\d+/g, '');
}
