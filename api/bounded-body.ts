/**
 * bounded-body: takes no body beyond the bound, and unpacks what clients send compressed, agents above all: a report is a third of
 * its size then.
 *
 * Measured unpacked: a few kilobytes may hold gigabytes of nothing. A body whose length is told is left as it is, as Node takes no
 * byte more; one in chunks is read first. Yoga has a bound as well, whose streams would cost each report a tenth of its time.
 */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Plugin } from 'graphql-yoga';
import type { InFlight } from './limits/in-flight.ts';
import { busyResponse } from './limits/shedding.ts';
import { openTurns } from './limits/turns.ts';
import { maxBodyBytes, readBytes } from './read-body.ts';
import { refusalResponse } from './transport/refusal-response.ts';

const unpack = promisify(gunzip);

/** Each may become as large as the bound before anybody knows; Node has four threads for it. */
export const maxUnpackings = 4;

const notGzip = 'the body is not the gzip that its content-encoding says: send it again';

/** To stand before whatever reads a body. */
export function useBoundedBodies(inFlight: InFlight): Plugin {
  const turns = openTurns(maxUnpackings);

  async function bodyOf(
    stream: ReadableStream<Uint8Array>,
    encoding: string,
    context: object,
  ): Promise<Uint8Array | Response> {
    const sent = await readBytes(stream);
    if (!sent) return tooLarge();
    if (encoding === 'identity') return sent;
    const body = await turns.take(() => unpackBounded(sent));
    if (!body) return tooLarge();
    if (body instanceof Error) return refusalResponse(400, 'BAD_REQUEST', notGzip);
    if (inFlight.of(context)?.grow(body.byteLength) === false)
      return busyResponse(inFlight.retryAfterSeconds(), true);
    return body;
  }

  return {
    async onRequest({ request, setRequest, endResponse, fetchAPI, serverContext }) {
      if (!request.body) return;
      const encoding = request.headers.get('content-encoding')?.trim().toLowerCase() ?? 'identity';
      if (encoding !== 'identity' && encoding !== 'gzip') {
        const message = `a body in ${encoding} cannot be read: send it as it is, or in gzip`;
        endResponse(refusalResponse(415, 'BAD_REQUEST', message));
        return;
      }
      const length = request.headers.get('content-length');
      if (length !== null && Number(length) > maxBodyBytes) {
        endResponse(tooLarge());
        return;
      }
      if (length !== null && encoding === 'identity') return;
      const body = await bodyOf(request.body, encoding, serverContext);
      if (body instanceof Response) {
        endResponse(body);
        return;
      }
      const headers = new fetchAPI.Headers(request.headers);
      headers.delete('content-encoding');
      headers.set('content-length', String(body.byteLength));
      const { method, signal } = request;
      setRequest(new fetchAPI.Request(request.url, { method, headers, body: new Uint8Array(body), signal }));
    },
  };
}

/** @returns null for more than the bound; an Error for what is no gzip */
async function unpackBounded(packed: Uint8Array): Promise<Buffer | Error | null> {
  try {
    return await unpack(packed, { maxOutputLength: maxBodyBytes });
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? null : (cause as Error);
  }
}

function tooLarge(): Response {
  const bound = `${maxBodyBytes / 2 ** 20} MiB, measured unpacked`;
  return refusalResponse(413, 'BAD_REQUEST', `the body is larger than ${bound}: send it in parts`);
}
