/** raw-http: speaks to a server byte by byte, as no honest client would, and takes its answers apart. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { whenFileIsDone } from './cleanup.ts';

export type RawAnswer = {
  status: number;
  /** Names in lower case; of several with one name the last. */
  headers: Record<string, string>;
  text: string;
};

export type RawConnection = {
  socket: Socket;
  write(bytes: string | Uint8Array): void;
  /** The next whole answer. @throws Error when the connection ends without one */
  answer(method?: string): Promise<RawAnswer>;
  /** Once the server has ended it, for whatever reason; to all that came since the last answer. */
  closed: Promise<string>;
};

/** @param origin such as `http://127.0.0.1:4000`; what it is over TLS need not be a name of its certificate */
export async function openRaw(origin: string): Promise<RawConnection> {
  const { protocol, hostname, port } = new URL(origin);
  const socket =
    protocol === 'https:'
      ? connectTls({ host: hostname, port: Number(port), rejectUnauthorized: false })
      : connect(Number(port), hostname);
  let received = Buffer.alloc(0);
  /** Put together when somebody looks: of a large answer there are thousands. */
  let parts: Buffer[] = [];
  let ended = false;
  const watchers = new Set<() => void>();
  const changed = () => {
    for (const watcher of watchers) watcher();
  };
  socket.on('data', (chunk: Buffer) => {
    parts.push(chunk);
    changed();
  });
  // A reset is an end like any other here.
  socket.on('error', () => {});
  const closed = new Promise<string>((resolve) => {
    socket.on('close', () => {
      ended = true;
      changed();
      resolve(Buffer.concat([received, ...parts]).toString('latin1'));
    });
  });
  whenFileIsDone(() => {
    socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    socket.once(protocol === 'https:' ? 'secureConnect' : 'connect', resolve);
    socket.once('error', reject);
  });
  return {
    socket,
    closed,
    write: (bytes) => void socket.write(bytes),
    answer: (method = 'GET') =>
      new Promise((resolve, reject) => {
        const look = () => {
          received = Buffer.concat([received, ...parts]);
          parts = [];
          const found = takeAnswer(received, ended, method);
          if (!found && !ended) return;
          watchers.delete(look);
          if (!found)
            return reject(new Error(`no answer but ${JSON.stringify(received.toString('latin1', 0, 500))}`));
          received = received.subarray(found.length);
          resolve(found.answer);
        };
        watchers.add(look);
        look();
      }),
  };
}

/** Sends it all on a connection of its own. @returns the first answer */
export async function sendRaw(origin: string, bytes: string | Uint8Array): Promise<RawAnswer> {
  const connection = await openRaw(origin);
  connection.write(bytes);
  const answer = await connection.answer(/^\w+/.exec(String(bytes))?.[0]);
  connection.socket.destroy();
  return answer;
}

function takeAnswer(bytes: Buffer, ended: boolean, method: string) {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd === -1) return null;
  const [line = '', ...fields] = bytes.subarray(0, headEnd).toString('latin1').split('\r\n');
  const headers = Object.fromEntries(
    fields.map((field) => {
      const at = field.indexOf(':');
      return [field.slice(0, at).toLowerCase(), field.slice(at + 1).trim()];
    }),
  );
  const status = Number(line.split(' ')[1]);
  const body = bytes.subarray(headEnd + 4);
  const content = takeBody(body, { status, headers, ended, method });
  if (!content) return null;
  return { answer: { status, headers, text: content.text }, length: headEnd + 4 + content.length };
}

type Framing = { status: number; headers: Record<string, string>; ended: boolean; method: string };

function takeBody(body: Buffer, { status, headers, ended, method }: Framing) {
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return { text: '', length: 0 };
  if (headers['transfer-encoding'] === 'chunked') return takeChunks(body);
  const length = Number(headers['content-length'] ?? (ended ? body.length : Number.POSITIVE_INFINITY));
  return body.length < length ? null : { text: body.subarray(0, length).toString(), length };
}

function takeChunks(body: Buffer) {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = body.indexOf('\r\n', at);
    if (lineEnd === -1) return null;
    const size = Number.parseInt(body.subarray(at, lineEnd).toString('latin1'), 16);
    const end = lineEnd + 2 + size + 2;
    if (body.length < end) return null;
    if (size === 0) return { text: Buffer.concat(parts).toString(), length: end };
    parts.push(body.subarray(lineEnd + 2, end - 2));
    at = end;
  }
}
