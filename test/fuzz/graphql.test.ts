/** Whatever is asked of GraphQL is answered: with data, or with an error that says what to correct. */
import fc from 'fast-check';
import { v7 as uuidV7 } from 'uuid';
import { beforeAll } from 'vitest';
import { exampleQueries } from '../../api/example-queries.ts';
import { buildSchema } from '../../api/schema/schema.ts';
import { loadBuiltinPlugins } from '../../plugins/index.ts';
import { dataOf, openTestApi, type TestApi } from '../support/api.ts';
import { hostId, result, storedReport } from '../support/reports.ts';
import { damagedText, deepJson, hostile, hostileText, json, uuid } from './arbitraries.ts';
import { demand, fuzz } from './fuzz.ts';
import { documents } from './random-documents.ts';

const schema = buildSchema(await loadBuiltinPlugins());
const examples = exampleQueries(Date.parse('2026-05-02T00:00:00Z'));
let api: TestApi;
const cursors: string[] = [];

beforeAll(async () => {
  api = await openTestApi();
  const reports = hostile.map((text, number) =>
    storedReport({
      host: { id: hostId(number % 5), name: text, labels: { environment: text } },
      results: [
        result('cpu', { model: text, threads: number }),
        result('os', { version: text }),
        result(`rack_${number}`, { [text]: text, list: [{ name: text }] }),
      ],
    }),
  );
  await api.deliver(reports);
  const {
    reports: page,
    hosts,
    changes,
  } = await dataOf(
    api.ask(
      '{ reports(first: 3) { edges { cursor } } hosts(first: 3) { edges { cursor } } changes(first: 3) { edges { cursor } } }',
    ),
  );
  for (const { edges } of [page, hosts, changes]) {
    cursors.push(...edges.map(({ cursor }: { cursor: string }) => cursor));
  }
});

const known = new Set([
  'BAD_REQUEST',
  'BAD_USER_INPUT',
  'FACTS_UNKNOWN',
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'QUERY_TOO_COMPLEX',
]);

async function send(body: string | Uint8Array): Promise<void> {
  const leaving = new AbortController();
  const response = await api.fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: body as BodyInit,
    signal: leaving.signal,
  });
  // What a subscription answers with does not end.
  if (response.headers.get('content-type')?.startsWith('text/event-stream')) return leaving.abort();
  const text = await response.text();
  demand([200, 400, 413].includes(response.status), `HTTP ${response.status}: ${text}`);
  const { data, errors } = JSON.parse(text);
  demand(data !== undefined || errors?.length > 0, `neither data nor errors: ${text}`);
  for (const { message, extensions } of errors ?? []) {
    demand(known.has(extensions?.code), `${extensions?.code}: ${message}`);
  }
}

const ask = (query: unknown, variables?: unknown) => send(JSON.stringify({ query, variables }));

// Cursors are known only once the API is there, so what is made of them is made as it is asked.
const late = {
  *[Symbol.iterator]() {
    yield* cursors;
  },
} as unknown as readonly string[];

fuzz('queries that the schema allows', 0.15, documents(schema, 'query', late), (query) => ask(query));

fuzz('subscriptions that the schema allows', 0.02, documents(schema, 'subscription', late), (query) =>
  ask(query),
);

fuzz('queries that are damaged', 0.08, damagedText(examples), (query) => ask(query));

fuzz(
  'variables of any kind',
  0.08,
  fc.dictionary(
    fc.constantFrom('filter', 'first', 'after', 'id', 'path', 'asOf', 'by'),
    fc.oneof(json, deepJson),
  ),
  (variables) =>
    ask(
      `query ($filter: ReportFilter, $first: Int, $after: String, $id: UUID, $path: String = "cpu.model", $asOf: DateTime) {
      reports(filter: $filter, first: $first, after: $after) { totalCount nodes { id } }
      host(id: $id) { name }
      factCounts(path: $path, asOf: $asOf) { value hosts }
    }`.replace('$id: UUID,', '$id: UUID!,'),
      variables,
    ),
);

fuzz('cursors', 0.04, fc.oneof(hostileText, damagedCursors()), async (cursor) => {
  await ask(
    'query ($c: String) { reports(first: 1, after: $c) { nodes { id } } hosts(last: 1, before: $c) { nodes { id } } }',
    { c: cursor },
  );
  await ask('query ($c: String) { changes(first: 1, after: $c) { nodes { path } } }', { c: cursor });
});

function damagedCursors() {
  const bytes = fc.tuple(
    fc.constantFrom('["', '{"', '[1,', 'v1:', ''),
    json,
    fc.constantFrom('base64url', 'base64', 'hex'),
  );
  return bytes.map(([start, inner, encoding]) =>
    Buffer.from(start + JSON.stringify(inner)).toString(encoding as BufferEncoding),
  );
}

fuzz(
  'bodies that are no requests',
  0.05,
  fc.oneof(
    json.map((body) => JSON.stringify(body)),
    fc.uint8Array({ maxLength: 200 }),
    hostileText,
  ),
  (body) => send(body),
);

const plugin = fc.record(
  {
    plugin: fc.oneof(fc.constantFrom('cpu', 'os', 'network', 'rack'), hostileText),
    version: fc.oneof(fc.integer(), fc.constant(null)),
    status: fc.constantFrom('OK', 'ERROR', 'TIMEOUT', 'SKIPPED', 'odd'),
    durationMs: fc.double(),
    facts: fc.oneof(json, deepJson),
    readings: json,
    error: hostileText,
  },
  { requiredKeys: ['plugin', 'status'] },
);

const report = fc.record(
  {
    host: fc.record(
      { id: uuid, name: hostileText, labels: fc.dictionary(hostileText, hostileText), clonedFrom: uuid },
      { requiredKeys: ['id', 'name'] },
    ),
    agentVersion: hostileText,
    intervalSeconds: fc.double(),
    collectedAt: fc.oneof(fc.constant('2026-05-01T10:00:00Z'), hostileText),
    droppedReports: fc.integer(),
    results: fc.array(plugin, { maxLength: 4 }),
  },
  { requiredKeys: ['host', 'collectedAt', 'results'] },
);

const submit = `mutation ($input: SubmitReportInput!) { submitReport(input: $input) { duplicate } }`;
const stored = `query ($id: UUID!) { report(id: $id) { results { plugin facts readings error } } }`;

fuzz('a report is refused, or is there as it was sent', 0.12, report, async (draft) => {
  // Made here: one that was tried before would be a resend.
  const input = { id: uuidV7(), ...draft };
  const { data, errors } = await api.ask(submit, { input });
  if (errors) {
    demand(
      errors.every(({ extensions }) => known.has(extensions.code)),
      JSON.stringify(errors),
    );
    return;
  }
  demand(data.submitReport.duplicate === false, 'taken for one that was there');
  const answer = await dataOf(api.ask(stored, { id: input.id }));
  const sent = input.results.map(({ plugin, facts = null, readings = null, error = null }) => {
    return { plugin: withoutNul(plugin), facts, readings, error: error && withoutNul(error) };
  });
  const [kept, meant] = [JSON.stringify(answer.report.results), JSON.stringify(wellFormed(sent))];
  demand(kept === meant, `stored as ${kept}`);
});

/** What no text of a database can hold becomes U+FFFD as well; in facts it stays. */
const withoutNul = (text: string) => text.replaceAll('\0', '\ufffd');

/** Half a surrogate pair is no text: it is kept as U+FFFD. */
function wellFormed(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_key, inner) => {
    if (typeof inner === 'string') return inner.toWellFormed();
    if (inner === null || typeof inner !== 'object' || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).map(([key, of]) => [key.toWellFormed(), of]));
  });
}
