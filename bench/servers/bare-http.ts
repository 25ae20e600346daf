/** bare-http: the least that a server does for a report: read it, parse it, answer. */
import { createServer } from 'node:http';
import { listen } from './listen.ts';

const answer = JSON.stringify({ data: { submitReport: { duplicate: false, report: { id: '' } } } });
const headers = { 'content-type': 'application/json', 'content-length': answer.length };

listen(
  createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      JSON.parse(text);
      response.writeHead(200, headers).end(answer);
    });
  }),
);
