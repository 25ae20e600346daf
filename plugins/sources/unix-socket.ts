/**
 * unix-socket: asks an HTTP server on a unix socket of the host for JSON.
 *
 * A recorded host answers with what was recorded in its `sockets.json`, by socket and path.
 */
import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeHttp } from '../node-http.ts';
import { insideRoot } from './linux-files.ts';
import { isRecordedHost } from './node-os.ts';

/** Some thousand containers; whoever sends more is no engine. */
const maxAnswerBytes = 16 * 1024 * 1024;

export type HostSocket = {
  /** What tells two names of one socket. */
  id: string;
  /**
   * Returns the parsed answer to a GET; null when nobody listens any more.
   *
   * @throws Error that says why there is no answer: a refusal, a status other than 200, no JSON, too much of it
   */
  get(path: string): Promise<unknown>;
};

/** Null when there is no such socket. */
export async function openSocket(
  root: string,
  path: string,
  signal: AbortSignal,
): Promise<HostSocket | null> {
  signal.throwIfAborted();
  if (await isRecordedHost(root)) return recordedSocket(root, path);
  try {
    const real = await realpath(await insideRoot(root, path));
    return { id: real, get: (url) => getJson(real, url, path, signal) };
  } catch (error) {
    if (isDenied(error)) throw denied(path, error);
    return null;
  }
}

function getJson(socketPath: string, url: string, shown: string, signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    function fail(error: unknown): void {
      if (signal.aborted) reject(signal.reason);
      else if (isNobody(error)) resolve(null);
      else if (isDenied(error)) reject(denied(shown, error));
      else
        reject(
          new Error(`${shown} gives no answer to ${url}: ${(error as Error).message}`, { cause: error }),
        );
    }
    // An engine wants a Host header; what it says does not matter.
    const headers = { host: 'localhost', accept: 'application/json' };
    const asked = nodeHttp().request({ socketPath, path: url, headers, signal, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > maxAnswerBytes) response.destroy(new Error(`it is longer than ${maxAnswerBytes} bytes`));
        else chunks.push(chunk);
      });
      response.on('error', fail);
      response.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        if (response.statusCode !== 200) fail(new Error(`status ${response.statusCode}: ${messageIn(body)}`));
        else {
          try {
            resolve(JSON.parse(body));
          } catch {
            fail(new Error('what it sends is not JSON'));
          }
        }
      });
    });
    asked.on('error', fail);
    asked.end();
  });
}

/** Engines put it in `message`. */
function messageIn(body: string): string {
  try {
    return String(JSON.parse(body).message);
  } catch {
    return body.slice(0, 200).trim();
  }
}

/** A socket file stays when its engine is gone. */
function isNobody(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ECONNREFUSED' || code === 'ENOENT' || code === 'ENOTSOCK';
}

function isDenied(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EACCES' || code === 'EPERM';
}

function denied(path: string, cause: unknown): Error {
  const message = `no right to ask ${path}: run the agent as root or add its user to the group of that socket (docker), or leave this plugin out of the config`;
  return new Error(message, { cause });
}

async function recordedSocket(root: string, path: string): Promise<HostSocket | null> {
  const text = await readFile(join(root, 'sockets.json'), 'utf8').catch(() => '{}');
  const answers = (JSON.parse(text) as Record<string, Record<string, unknown>>)[path];
  return answers === undefined ? null : { id: path, get: async (url) => answers[url] ?? null };
}
