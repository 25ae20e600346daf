/** acknowledging-api: a server on loopback that takes every report and keeps only how many bytes came; for many reports. */
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { whenFileIsDone } from './cleanup.ts';
import { jsonOf } from './request-body.ts';

export type AcknowledgingApi = {
  url: string;
  /** Of each request as it came over the connection, headers included. */
  requestBytes: number[];
};

type Body = { variables: { input?: { id: string }; inputs?: { id: string }[] } };

export async function startAcknowledgingApi(): Promise<AcknowledgingApi> {
  const requestBytes: number[] = [];
  const bytesBefore = new WeakMap<Socket, number>();
  const server = createServer(async (request, response) => {
    const { input, inputs } = ((await jsonOf(request)) as Body).variables;
    const { socket } = request;
    requestBytes.push(socket.bytesRead - (bytesBefore.get(socket) ?? 0));
    bytesBefore.set(socket, socket.bytesRead);
    const taken = (id: string) => ({ duplicate: false, report: { id } });
    const data = input
      ? { submitReport: taken(input.id) }
      : { submitReports: inputs?.map(({ id }) => ({ payload: taken(id), error: null })) };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ data }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  whenFileIsDone(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`, requestBytes };
}
