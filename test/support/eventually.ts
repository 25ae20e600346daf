/** eventually: waits for what comes by itself, by looking again and again; never by the clock alone. */

/** Milliseconds between two looks. */
const pauseMs = 50;

export type EventuallyOptions = {
  /** Milliseconds. @default 45 seconds: the API's own round of 30, and what it does in it on a busy machine */
  withinMs?: number;
  /** Milliseconds between two looks. @default 50 */
  everyMs?: number;
};

/**
 * What `look` returns, once that is neither false nor null nor undefined. One that throws has not seen it yet.
 *
 * @param what what is waited for; in the error's message
 * @throws Error with what the last look threw, when the time is over
 */
export async function eventually<T>(
  what: string,
  look: () => T | Promise<T>,
  { withinMs = 45_000, everyMs = pauseMs }: EventuallyOptions = {},
): Promise<NonNullable<Exclude<T, false>>> {
  const until = performance.now() + withinMs;
  let cause: unknown;
  for (;;) {
    try {
      const seen = await look();
      if (seen !== false && seen !== null && seen !== undefined)
        return seen as NonNullable<Exclude<T, false>>;
      cause = undefined;
    } catch (thrown) {
      cause = thrown;
    }
    if (performance.now() > until) {
      throw new Error(`within ${withinMs} ms it did not come to this: ${what}`, { cause });
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
