/** bare-http: the least that a server does for a report: read it, parse it, answer. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const answer = JSON.stringify({ data: { submitReport: { duplicate: false, report: { id: '' } } } });

const server = createServer(async (request, response) => {
  let text = '';
  for await (const chunk of request) text += chunk;
  JSON.parse(text);
  response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  console.log(JSON.stringify({ url: `http://127.0.0.1:${port}/` }));
});
