/** Whatever is asked of the routes that are not GraphQL's is answered, and what they take is there. */
import fc from 'fast-check';
import { beforeAll } from 'vitest';
import { openTestApi, type TestApi } from '../support/api.ts';
import { hostId, result, storedReport } from '../support/reports.ts';
import { hostile, hostileText, json } from './arbitraries.ts';
import { demand, fuzz } from './fuzz.ts';

let api: TestApi;

beforeAll(async () => {
  api = await openTestApi();
  await api.deliver(
    hostile.map((text, number) =>
      storedReport({
        host: { id: hostId(number), name: text, labels: { environment: text } },
        results: [result('os', { version: text }), result('network', { primaryAddress: '10.0.0.1' })],
      }),
    ),
  );
});

const word = fc.oneof(hostileText, fc.integer(), json);
const flat = fc
  .record(
    {
      cpu: word,
      os_username: word,
      os_name: word,
      os_version: word,
      mem: json,
      more: json,
      server_ip: fc.oneof(
        { weight: 4, arbitrary: fc.ipV4() },
        { weight: 4, arbitrary: fc.ipV6() },
        hostileText,
      ),
      timestamp: fc.oneof(
        { weight: 8, arbitrary: fc.constantFrom('2026-05-01 10:00:00.123456', '1767225600', 1_767_225_600) },
        hostileText,
      ),
    },
    { requiredKeys: ['cpu', 'os_username', 'os_name', 'os_version', 'server_ip', 'timestamp'] },
  )
  .map((report) => JSON.stringify(report));

fuzz('a report of the Python system is refused, or given back as it was sent', 0.08, flat, async (body) => {
  const headers = { 'content-type': 'application/json' };
  const taken = await api.fetch('/report', { method: 'POST', headers, body });
  const answer = await taken.text();
  if (taken.status === 400) return;
  demand(taken.status === 200, `HTTP ${taken.status}: ${answer}`);
  const { server_ip: address } = JSON.parse(body);
  const response = await api.fetch(`/report?ip=${encodeURIComponent(address)}`);
  demand(response.status === 200, `HTTP ${response.status} for what was just taken`);
  const { report } = (await response.json()) as { report: unknown };
  // Of two with one time the newer is not defined.
  demand(typeof report === 'object' && report !== null, 'no report');
});

fuzz(
  'bodies that are no report of the Python system',
  0.03,
  fc.oneof(
    hostileText,
    json.map((body) => JSON.stringify(body)),
    fc.uint8Array({ maxLength: 100 }),
  ),
  async (body) => {
    const { status } = await api.fetch('/report', { method: 'POST', body: body as BodyInit });
    // As text/plain, which forms of other sites send as well.
    demand([400, 415].includes(status), `HTTP ${status}`);
  },
);

fuzz('addresses that are asked for', 0.02, hostileText, async (ip) => {
  const { status } = await api.fetch(`/report?ip=${encodeURIComponent(ip.toWellFormed())}`);
  demand([200, 400, 404].includes(status), `HTTP ${status}`);
});

const names = fc.oneof(fc.constantFrom('filter', 'limit', 'asOf', 'format', '__proto__'), hostileText);
const filters = fc.oneof(
  hostileText,
  json.map((filter) => JSON.stringify(filter)),
  fc
    .tuple(fc.constantFrom('hostName', 'label', 'fact', 'os', 'result', 'host', 'not', 'and'), json)
    .map(([name, inner]) => JSON.stringify({ [name]: inner })),
  fc
    .tuple(fc.constantFrom('eq', 'contains', 'startsWith', 'in', 'inSubnet', 'lt'), hostileText)
    .map(([name, text]) => JSON.stringify({ os: { version: { [name]: text } } })),
);
const exportUrl = fc
  .tuple(
    fc.constantFrom('reports.ndjson', 'reports.csv', 'hosts.ndjson', 'hosts.csv'),
    fc.oneof(
      { weight: 3, arbitrary: filters.map((filter): [string, string][] => [['filter', filter]]) },
      fc.array(fc.tuple(names, hostileText), { maxLength: 3 }),
    ),
  )
  .map(([file, parameters]) => `/export/${file}?${new URLSearchParams(parameters)}`);

fuzz('exports', 0.04, exportUrl, async (url) => {
  const response = await api.fetch(url);
  const text = await response.text();
  demand([200, 400].includes(response.status), `HTTP ${response.status}: ${text}`);
  if (response.status === 200 && url.includes('.ndjson')) {
    for (const line of text.split('\n').filter(Boolean)) JSON.parse(line);
  }
});

fuzz('paths', 0.02, fc.array(hostileText, { maxLength: 4 }), async (parts) => {
  const path = parts.map((part) => encodeURIComponent(part.toWellFormed())).join('/');
  const { status } = await api.fetch(`/export/${path}`);
  demand([200, 404].includes(status), `HTTP ${status}`);
  const other = await api.fetch(`/${path}/x`);
  demand(other.status === 404, `HTTP ${other.status}`);
});
