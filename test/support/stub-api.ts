/** stub-api: a real HTTP server on loopback that answers as a test says, and keeps what it was sent. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { freePort } from './free-port.ts';
import { jsonOf } from './request-body.ts';

export type ReceivedRequest = {
  method: string;
  headers: IncomingHttpHeaders;
  query: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was sent
  variables: any;
};

/** Answers one request, or leaves it hanging. */
export type Answer = (request: ReceivedRequest, response: ServerResponse) => void;

export type StubApi = {
  url: string;
  requests: ReceivedRequest[];
  /** Resolves once this many requests have arrived. */
  received(count: number): Promise<void>;
};

/** Acknowledges every report and answers `__typename`, as the API does. */
export const acknowledge: Answer = ({ variables }, response) => {
  const taken = (input?: { id: string }) => ({ duplicate: false, report: { id: input?.id } });
  const submitReports = variables?.inputs?.map((input: { id: string }) => ({
    payload: taken(input),
    error: null,
  }));
  const data = { __typename: 'Query', submitReport: taken(variables?.input), submitReports };
  respond(response, 200, { data });
};

/** Answers with that status and JSON, or with text as it is. */
export function respond(response: ServerResponse, status: number, body: object | string): void {
  const isText = typeof body === 'string';
  response.writeHead(status, { 'content-type': isText ? 'text/html' : 'application/json' });
  response.end(isText ? body : JSON.stringify(body));
}

/** Listens until the test ends. */
export async function startStubApi(answer: Answer = acknowledge): Promise<StubApi> {
  const requests: ReceivedRequest[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const server = createServer(async (request, response) => {
    const body = (await jsonOf(request)) ?? {};
    const received = { method: request.method ?? '', headers: request.headers, ...body };
    requests.push(received);
    answer(received, response);
    for (const { count, resolve } of waiting) if (requests.length >= count) resolve();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/graphql`,
    requests,
    received: (count) =>
      requests.length >= count
        ? Promise.resolve()
        : new Promise((resolve) => waiting.push({ count, resolve })),
  };
}

/** An address of loopback at which nothing listens. */
export async function closedUrl(): Promise<string> {
  return `http://127.0.0.1:${await freePort()}/graphql`;
}
