/**
 * fetch-bounded: fetch whose answer cannot fill the agent's memory.
 *
 * What answers at the address may be anything: a file server, or a proxy with a fault.
 */

/** The API acknowledges a report in a few hundred bytes, and its longest errors have some thousands. */
const maxBytes = 1_048_576;

export class AnswerTooLongError extends Error {
  override name = 'AnswerTooLongError';
}

/**
 * As `fetch`, but reading more than 1 MiB of the body ends the answer.
 *
 * @throws AnswerTooLongError while the body is read
 */
export const fetchBounded: typeof fetch = async (input, init) => {
  const response = await fetch(input, init);
  if (response.body === null) return response;
  let bytes = 0;
  const bound = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes <= maxBytes) controller.enqueue(chunk);
      else controller.error(new AnswerTooLongError(`the answer is longer than ${maxBytes} bytes`));
    },
  });
  return new Response(response.body.pipeThrough(bound), response);
};
