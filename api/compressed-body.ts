/**
 * compressed-body: unpacks what clients send compressed, agents above all: a report is a third of its size then.
 *
 * Measured unpacked, and by no more than the bound: a few kilobytes may hold gigabytes of nothing.
 */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Plugin } from 'graphql-yoga';
import type { InFlight } from './limits/in-flight.ts';
import { busyResponse } from './limits/shedding.ts';
import { openTurns } from './limits/turns.ts';
import { maxBodyBytes, readBytes } from './read-body.ts';

const unpack = promisify(gunzip);

/** Each may become as large as the bound before anybody knows; Node has four threads for it. */
export const maxUnpackings = 4;

/** To stand before whatever reads a body. */
export function useCompressedBodies(inFlight: InFlight): Plugin {
  const turns = openTurns(maxUnpackings);
  return {
    async onRequest({ request, setRequest, endResponse, fetchAPI, serverContext }) {
      const encoding = request.headers.get('content-encoding')?.trim().toLowerCase() ?? 'identity';
      if (encoding === 'identity' || !request.body) return;
      if (encoding !== 'gzip') {
        endResponse(refusal(415, `a body in ${encoding} cannot be read: send it as it is, or in gzip`));
        return;
      }
      const packed = await readBytes(request);
      const body = packed && (await turns.take(() => unpackBounded(packed)));
      if (!body) {
        endResponse(
          refusal(413, `the body is larger than ${maxBodyBytes / 2 ** 20} MiB unpacked: send it in parts`),
        );
      } else if (body instanceof Error) {
        endResponse(refusal(400, 'the body is not the gzip that its content-encoding says: send it again'));
      } else if (inFlight.of(serverContext)?.grow(body.byteLength) === false) {
        endResponse(busyResponse(inFlight.retryAfterSeconds(), true));
      } else {
        const headers = new fetchAPI.Headers(request.headers);
        headers.delete('content-encoding');
        headers.set('content-length', String(body.byteLength));
        const { method, signal } = request;
        setRequest(
          new fetchAPI.Request(request.url, { method, headers, body: new Uint8Array(body), signal }),
        );
      }
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

function refusal(status: number, message: string): Response {
  return Response.json({ errors: [{ message, extensions: { code: 'BAD_REQUEST' } }] }, { status });
}
