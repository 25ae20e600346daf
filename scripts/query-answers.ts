/**
 * query-answers: fills docs/queries.md with the queries that GraphiQL opens with, and with the answer of every query
 * in it, given by an API over the example fleet whose clock stands still.
 *
 * A query of the document whose operation is named as one of GraphiQL's is that one; any other is the document's own.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { openFolderBucket } from '../api/bucket/folder-bucket.ts';
import { exampleQueries } from '../api/example-queries.ts';
import { openIndex } from '../api/index/open-index.ts';
import { buildSchema } from '../api/schema/schema.ts';
import { graphqlEndpoint } from '../api/server.ts';
import { openService, type Service } from '../api/service.ts';
import { writeSegments } from '../bench/fleet-segments.ts';
import { loadBuiltinPlugins } from '../plugins/index.ts';
import { backupPlugin, exampleReports, fleetNow, nextReport } from './example-fleet.ts';

/** A query, and the answer after it if there is one already. */
const questions = /^```graphql\n([\s\S]*?)^```\n(?:\n```(?:json|text)\n[\s\S]*?^```\n)?/gm;

/** @throws Error when a query of GraphiQL's is missing, or two have the same name */
export async function insertAnswers(text: string): Promise<string> {
  const tabs = new Map(exampleQueries(fleetNow).map((query) => [nameOf(query), query]));
  const asked = [...text.matchAll(questions)].map(([, query = '']) => tabs.get(nameOf(query)) ?? query);
  const missing = [...tabs.values()].filter((query) => !asked.includes(query)).map(nameOf);
  if (missing.length > 0) {
    throw new Error(`docs/queries.md lacks ${missing.join(', ')}: write a block "query ${missing[0]}" there`);
  }
  const blocks: string[] = [];
  await withExample(async (service) => {
    for (const query of asked) {
      // One that changes the fleet has a fleet of its own. What is older than minutes is no news: it has the real clock.
      const answer = isSubscription(query)
        ? await withExample((own) => firstEvent(own, query), Date.now)
        : shortened(inLines(await ask(service, query)));
      blocks.push(
        `\`\`\`graphql\n${query}\`\`\`\n\n\`\`\`${isSubscription(query) ? 'text' : 'json'}\n${answer}\n\`\`\`\n`,
      );
    }
  });
  return text.replace(questions, () => blocks.shift() ?? '');
}

function nameOf(query: string): string {
  const [, name = ''] = /^(?:query|subscription) (\w+)/m.exec(query) ?? [];
  return name;
}

/** What the schema's own description of all plugins would take is hundreds of lines. */
const maxLines = 120;
const shownLines = 40;

function shortened(answer: string): string {
  const lines = answer.split('\n');
  return lines.length <= maxLines ? answer : [...lines.slice(0, shownLines), '…'].join('\n');
}

const width = 100;

/** JSON with each object and list on a line of its own where it fits. */
function inLines(value: unknown, indent = '', isMeasured = false): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const isList = Array.isArray(value);
  const deeper = `${indent}  `;
  const parts = (most: string, write: (inner: unknown) => string) =>
    Object.entries(value).map(
      ([name, inner]) => `${most}${isList ? '' : `${JSON.stringify(name)}: `}${write(inner)}`,
    );
  const [open, close] = isList ? ['[', ']'] : ['{', '}'];
  const pad = isList || Object.keys(value).length === 0 ? '' : ' ';
  const line = `${open}${pad}${parts('', (inner) => inLines(inner, '', true)).join(', ')}${pad}${close}`;
  if (isMeasured || (indent !== '' && indent.length + line.length <= width)) return line;
  return `${open}\n${parts(deeper, (inner) => inLines(inner, deeper)).join(',\n')}\n${indent}${close}`;
}

function isSubscription(query: string): boolean {
  return /^subscription/m.test(query);
}

/** Runs with an API over the fleet, whose stores are gone afterwards. */
async function withExample<T>(use: (service: Service) => Promise<T>, now = () => fleetNow): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'os-inspector-queries-'));
  const plugins = [...(await loadBuiltinPlugins()), backupPlugin];
  const bucket = await openFolderBucket(join(folder, 'bucket'));
  const index = { kind: 'sqlite', file: join(folder, 'index.db') } as const;
  await writeSegments(bucket, exampleReports(), 1000);
  const service = await openService({
    bucket,
    index: await openIndex({ settings: index, bucket: bucket.location, plugins }),
    schema: buildSchema(plugins),
    plugins,
    logger: pino({ enabled: false }),
    now,
  });
  try {
    return await use(service);
  } finally {
    await service.close();
    await rm(folder, { recursive: true });
  }
}

async function post(service: Service, body: object, accept = 'application/json'): Promise<Response> {
  const headers = { 'content-type': 'application/json', accept };
  const init = { method: 'POST', headers, body: JSON.stringify(body) };
  return service.server.fetch(new Request(`http://localhost${graphqlEndpoint}`, init));
}

async function ask(service: Service, query: string, variables: object = {}): Promise<unknown> {
  return (await post(service, { query, variables })).json();
}

/** What comes over the wire when a host takes another kernel. */
async function firstEvent(service: Service, query: string): Promise<string> {
  const response = await post(service, { query }, 'text/event-stream');
  const { format: _format, receivedAt: _receivedAt, ...input } = nextReport();
  await ask(service, 'mutation ($input: SubmitReportInput!) { submitReport(input: $input) { duplicate } }', {
    input,
  });
  let told = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    told += chunk;
    const [event] = /^event: next\ndata: .*$/m.exec(told) ?? [];
    if (event) return event;
  }
  throw new Error(`the subscription ended without an event: ${told}`);
}
