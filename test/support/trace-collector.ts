/** trace-collector: what takes traces by OTLP over HTTP, as a collector does, and keeps them for tests to look at. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { whenFileIsDone } from './cleanup.ts';
import { eventually } from './eventually.ts';

export type CollectedSpan = {
  traceId: string;
  spanId: string;
  /** Empty for the first of a trace. */
  parentSpanId: string;
  name: string;
  attributes: Record<string, unknown>;
  /** Of the process it came from. */
  resource: Record<string, unknown>;
  isError: boolean;
  /** Ids of the spans that it is linked with. */
  links: string[];
};

export type TraceCollector = {
  /** Without a path, as `OTEL_EXPORTER_OTLP_ENDPOINT` takes it. */
  url: string;
  spans(): CollectedSpan[];
  /** The bodies as they came. */
  received(): string;
  /** The spans of the trace, once one of them is called so and all their parents are there. */
  traceWith(name: string, traceId?: string): Promise<CollectedSpan[]>;
  /** Answers so from now on. */
  answerWith(status: number): void;
};

type Value = Record<string, unknown> & { arrayValue?: { values: Value[] } };
type Attributes = { key: string; value: Value }[];
type Sent = Pick<CollectedSpan, 'traceId' | 'spanId' | 'name'> & {
  parentSpanId?: string;
  attributes: Attributes;
  status: { code: number };
  links: { spanId: string }[];
};
type Body = {
  resourceSpans: { resource: { attributes: Attributes }; scopeSpans: { spans: Sent[] }[] }[];
};

export async function openTraceCollector(): Promise<TraceCollector> {
  const spans: CollectedSpan[] = [];
  const bodies: string[] = [];
  let status = 200;
  const server = createServer(async (request, response) => {
    const body = (await json(request)) as Body;
    const isTraces = request.method === 'POST' && request.url === '/v1/traces';
    response.writeHead(isTraces ? status : 404, { 'content-type': 'application/json' }).end('{}');
    if (!isTraces || status !== 200) return;
    bodies.push(JSON.stringify(body));
    spans.push(...spansOf(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  whenFileIsDone(async () => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans: () => spans,
    received: () => bodies.join('\n'),
    traceWith: (name, wanted) =>
      eventually(`a trace with ${name}`, () => {
        const traceId = wanted ?? spans.find((span) => span.name === name)?.traceId;
        const trace = spans.filter((span) => span.traceId === traceId);
        return trace.some((span) => span.name === name) && trace;
      }),
    answerWith(next) {
      status = next;
    },
  };
}

function spansOf({ resourceSpans }: Body): CollectedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map(({ traceId, spanId, parentSpanId = '', name, attributes, status, links }) => ({
        ...{ traceId, spanId, parentSpanId, name },
        attributes: valuesOf(attributes),
        resource: valuesOf(resource.attributes),
        isError: status.code === 2,
        links: links.map((link) => link.spanId),
      })),
    ),
  );
}

function valuesOf(attributes: Attributes): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plain(value)]));
}

function plain({ arrayValue, ...value }: Value): unknown {
  return arrayValue ? arrayValue.values.map(plain) : Object.values(value)[0];
}
