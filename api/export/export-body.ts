/**
 * export-body: hands the text of an export to whoever reads it, as fast as it is read and no faster.
 *
 * Ends in one of two ways: complete, or cut off so that the reader notices. Never short and in order.
 */
import { Failure } from '../failure.ts';

export type BodyOptions = {
  /** Cuts it off, with its reason. */
  signal: AbortSignal;
  /** So long nobody may read before it is cut off: it would keep its place for ever. */
  stalledMs: number;
  /** Breaks the connection; without one, reading the body throws. */
  cutOff?: (() => void) | undefined;
  /** Called once. @param cause why it was cut off; null when it is complete */
  onEnd(cause: unknown): void;
};

/** @param first what was read from the chunks already */
export function bodyOf(
  chunks: AsyncGenerator<string>,
  first: IteratorResult<string>,
  { signal, stalledMs, cutOff, onEnd }: BodyOptions,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let next: IteratorResult<string> | null = first;
  let timer: NodeJS.Timeout | undefined;
  let ended = false;
  let target: ReadableStreamDefaultController<Uint8Array>;

  function end(cause: unknown): boolean {
    if (ended) return false;
    ended = true;
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
    onEnd(cause);
    return true;
  }
  function fail(cause: unknown): void {
    if (!end(cause)) return;
    // A page that is under way ends by the signal.
    chunks.return(undefined).catch(() => {});
    // Whoever passes the body on to a socket would end the answer in order, and it would look complete.
    if (cutOff) cutOff();
    else target.error(cause);
  }
  const abort = () => fail(signal.reason);
  const waitForReader = () => {
    timer = setTimeout(() => {
      fail(new Failure('UNAVAILABLE', `nobody has read for ${stalledMs / 1000} s`));
    }, stalledMs);
  };

  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        target = controller;
        waitForReader();
        if (signal.aborted) abort();
        else signal.addEventListener('abort', abort, { once: true });
      },
      async pull(controller) {
        clearTimeout(timer);
        try {
          const { done, value } = next ?? (await chunks.next());
          next = null;
          if (ended) return;
          if (done) {
            end(null);
            controller.close();
          } else {
            controller.enqueue(encoder.encode(value));
            waitForReader();
          }
        } catch (cause) {
          fail(cause);
        }
      },
      cancel(reason) {
        end(reason ?? new Failure('UNAVAILABLE', 'the client has gone'));
        return chunks.return(undefined).then(() => {});
      },
    },
    // Nothing ahead of the reader: a page is read when it is needed.
    { highWaterMark: 0 },
  );
}
