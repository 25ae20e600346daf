/** request-body: what a client sent, unpacked as servers do. */
import type { IncomingMessage } from 'node:http';
import { gunzipSync } from 'node:zlib';

/** As JSON; null for a request without a body. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was sent
export async function jsonOf(request: IncomingMessage): Promise<any> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  if (chunks.length === 0) return null;
  const sent = Buffer.concat(chunks);
  const isPacked = request.headers['content-encoding'] === 'gzip';
  return JSON.parse((isPacked ? gunzipSync(sent) : sent).toString());
}
