/**
 * attacked-api: a real API of a test file's own, and how those who mean no good speak to it.
 *
 * After each test it runs, others are served, and nothing that went wrong is its own fault.
 */
import { afterEach, beforeAll, expect } from 'vitest';
import { type ApiProcess, startApi } from './api-process.ts';
import { openRaw, sendRaw } from './raw-http.ts';
import { temporaryFolder } from './temporary-folder.ts';

export let api: ApiProcess;
export let origin: string;
let saidBefore = 0;

beforeAll(async () => {
  const env = { HEADERS_TIMEOUT: '1s', REQUEST_TIMEOUT: '2s', LOG_LEVEL: 'info' };
  api = await startApi(await temporaryFolder(), { env });
  ({ origin } = new URL(api.url));
});

afterEach(async () => {
  expect(await served()).toBe(true);
  expect(api.child.exitCode).toBeNull();
  const said = api.output().slice(saidBefore);
  saidBefore += said.length;
  expect(said).not.toMatch(/INTERNAL|"level":(50|60)/);
});

export const query = '{"query":"{ __typename }"}';

/** Whether others are answered, by a connection of their own. */
export async function served(): Promise<boolean> {
  const health = await sendRaw(origin, head('GET', '/health'));
  const asked = await sendRaw(origin, post(query));
  return health.text === '{"health":"ok"}' && asked.text === '{"data":{"__typename":"Query"}}';
}

export function head(
  method: string,
  target: string,
  fields = 'Host: localhost\r\n',
  version = 'HTTP/1.1',
): string {
  return `${method} ${target} ${version}\r\n${fields}\r\n`;
}

type Posted = { path?: string; fields?: string; type?: string };

/** With its right length, unless `fields` has one. */
export function post(
  body: string | Uint8Array,
  { path = '/graphql', fields, type = 'application/json' }: Posted = {},
) {
  const framing = fields ?? `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  const start = head('POST', path, `Host: localhost\r\nContent-Type: ${type}\r\n${framing}`);
  return Buffer.concat([Buffer.from(start, 'latin1'), Buffer.from(body as Uint8Array)]);
}

/** Refused by the connection itself, which ends. */
export async function expectRefused(bytes: string | Uint8Array, status: number, message: RegExp) {
  const connection = await openRaw(origin);
  connection.write(bytes);
  const answer = await connection.answer();
  expect([answer.status, answer.headers.connection, answer.headers['content-type']]).toEqual([
    status,
    'close',
    'application/json',
  ]);
  expect(JSON.parse(answer.text)).toEqual({ status: 'error', error: expect.stringMatching(message) });
  expect(await connection.closed).toBe('');
}
