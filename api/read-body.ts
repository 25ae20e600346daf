/** read-body: reads what a client sends, and no more than a bound. */

/** For a report or a query alike, in bytes: some thousand times what an agent sends. */
export const maxBodyBytes = 16 * 1024 * 1024;

/** The text of a request; null when it is longer than the bound. */
export async function readBody(request: Request): Promise<string | null> {
  const bytes = await readBytes(request);
  // Without the byte order mark that some clients write first; JSON has none.
  return bytes && new TextDecoder().decode(bytes);
}

/** The body of a request; null when it is longer than the bound. */
export async function readBytes(request: Request): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > maxBodyBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
