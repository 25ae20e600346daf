/**
 * pages: reads the rows of an export from the index a page at a time, each within the time that a query has.
 *
 * Asks for a page only when the one before has been used up: a slow reader costs the memory of one page, and no work.
 */
import { tooLong } from '../context.ts';
import { Failure } from '../failure.ts';
import type { ForRequest, IndexReader, Position } from '../index/index-store.ts';
import type { RowSource } from './export-rows.ts';

/** With five hundred the index takes a third more processor: what it reads outlives its young generation. */
export const pageSize = 100;

export type PageOptions = {
  index: { forRequest: ForRequest };
  /** For one page. */
  timeoutMs: number;
  /** Ends it, and the work for a page that is under way. */
  signal: AbortSignal;
  /** Of rows altogether; null for all of them. */
  limit: number | null;
};

/** @throws the reason of the signal; GraphQLError QUERY_TIMEOUT; Failure of the index */
export async function* pagesOf<Row>(
  source: RowSource<Row>,
  options: PageOptions,
): AsyncGenerator<readonly Row[]> {
  let size = pageSize;
  let left = options.limit ?? Number.POSITIVE_INFINITY;
  let after: Position | null = null;
  while (left > 0) {
    const asked = Math.min(size, left);
    let page: Awaited<ReturnType<RowSource<Row>['page']>>;
    try {
      page = await askInTime(options, (index) => source.page(index, after, asked));
    } catch (cause) {
      // The facts of so many are more than the index hands out at once.
      if (!(cause instanceof Failure && cause.kind === 'INVALID') || asked === 1) throw cause;
      size = Math.ceil(asked / 2);
      continue;
    }
    if (!page.last) return;
    after = page.last;
    left -= page.rows.length;
    yield page.rows;
  }
}

/** One question to the index, given up when it takes too long or nobody waits for it any more. */
export async function askInTime<T>(
  { index, timeoutMs, signal }: Pick<PageOptions, 'index' | 'timeoutMs' | 'signal'>,
  ask: (index: IndexReader) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const ending = new AbortController();
  const leave = () => ending.abort(signal.reason);
  const timer = setTimeout(() => ending.abort(tooLong(timeoutMs)), timeoutMs);
  // Taken away again: an export asks thousands of times.
  signal.addEventListener('abort', leave, { once: true });
  try {
    return await ask(index.forRequest(ending.signal));
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', leave);
  }
}
