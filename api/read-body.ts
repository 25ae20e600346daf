/** read-body: reads what a client sends, and no more than a bound. */

/** For a report or a query alike, in bytes: some thousand times what an agent sends. */
export const maxBodyBytes = 16 * 1024 * 1024;

/** The body of a request; null as soon as it is longer than the bound. */
export async function readBytes(body: ReadableStream<Uint8Array>): Promise<Uint8Array | null> {
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    size += part.value.byteLength;
    if (size > maxBodyBytes) {
      void throwAway(reader);
      return null;
    }
    chunks.push(part.value);
  }
  return Buffer.concat(chunks);
}

/** What is still sent: to end the stream would end its connection, before its client has read why. */
async function throwAway(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  try {
    while (!(await reader.read()).done);
  } catch {
    // The client is gone, or its time is over.
  }
}
