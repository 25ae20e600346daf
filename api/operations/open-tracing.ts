/**
 * open-tracing: makes spans and sends them to a collector, by OTLP over HTTP.
 *
 * The only file that knows OpenTelemetry's SDK. Where to, with which headers, certificates and patience, the exporter reads from
 * the standard variables that begin with `OTEL_EXPORTER_OTLP_`; who we are, from `OTEL_SERVICE_NAME` and
 * `OTEL_RESOURCE_ATTRIBUTES`. Nothing global is set: several may live in one process.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Attributes,
  type Context,
  type Link,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapGetter,
  trace,
} from '@opentelemetry/api';
import { ExportResultCode, W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  type Resource,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceInstanceIdDetector,
  serviceNameEnvDetector,
} from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';
import { messageOf } from '../../plugins/message-of.ts';
import { Failure } from '../failure.ts';
import type { TracingSettings } from '../settings/tracing.ts';
import { within } from '../within.ts';
import type { Tracing } from './tracing.ts';

/** A collector that hangs must not keep a process that stops. */
const closePatienceMs = 3_000;

const headersGetter: TextMapGetter<Headers> = {
  get: (headers, key) => headers.get(key) ?? undefined,
  keys: (headers) => [...headers.keys()],
};

export type OpenTracingOptions = {
  settings: NonNullable<TracingSettings['tracing']>;
  logger: Pick<Logger, 'warn' | 'info'>;
};

export function openTracing({ settings, logger }: OpenTracingOptions): Tracing {
  const exporter = watched(new OTLPTraceExporter(), logger);
  const provider = new TracerProvider({
    resource: whoWeAre(),
    sampler: samplerOf(settings),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  });
  const tracer = provider.getTracer('os-inspector-api');
  const propagator = new W3CTraceContextPropagator();
  const storage = new AsyncLocalStorage<Context>();

  function current(): Span | null {
    const span = trace.getSpan(storage.getStore() ?? ROOT_CONTEXT);
    // Timers that a request has left behind come back when it is long over.
    return span?.isRecording() ? span : null;
  }

  async function run<T>(span: Span, parent: Context, work: () => Promise<T>): Promise<T> {
    try {
      return await storage.run(trace.setSpan(parent, span), work);
    } catch (cause) {
      fail(span, cause);
      throw cause;
    } finally {
      span.end();
    }
  }

  function start(parent: Span, name: string, attributes: Attributes, links: Link[] = []) {
    const context = trace.setSpan(ROOT_CONTEXT, parent);
    return { span: tracer.startSpan(name, { attributes, links }, context), context };
  }

  return {
    current,
    failed(type) {
      const span = current();
      if (span) markFailed(span, type);
    },
    request(headers, name, attributes, work) {
      const parent = propagator.extract(ROOT_CONTEXT, headers, headersGetter);
      const span = tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, parent);
      return run(span, parent, work);
    },
    part(name, attributes, work) {
      const parent = current();
      if (!parent) return work();
      const { span, context } = start(parent, name, attributes);
      return run(span, context, work);
    },
    shared([first, ...others], name, attributes, work) {
      // Whoever has caused it by chance is not the one that it is for.
      if (!first) return storage.run(ROOT_CONTEXT, work);
      const links = others.map((other) => ({ context: other.spanContext() }));
      const { span, context } = start(first, name, attributes, links);
      for (const other of others) other.addLink({ context: span.spanContext() });
      return run(span, context, work);
    },
    begin(name, attributes) {
      const parent = current();
      if (!parent) return null;
      const { span } = start(parent, name, attributes);
      return {
        end(failure) {
          if (failure !== undefined) fail(span, failure);
          span.end();
        },
      };
    },
    // Whoever exports has told what went wrong.
    flush: () => provider.forceFlush().catch(() => {}),
    async close() {
      try {
        await within(closePatienceMs, 'the collector of traces', provider.shutdown());
      } catch (cause) {
        logger.warn({ reason: messageOf(cause) }, 'the last traces could not be sent');
      }
    },
  };
}

/** What kind of error it was, and not its message: that may tell what somebody sent. */
function fail(span: Span, cause: unknown): void {
  const name = cause instanceof Error ? cause.name : typeof cause;
  markFailed(span, cause instanceof Failure ? cause.kind : name);
}

function markFailed(span: Span, type: string): void {
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.setAttribute('error.type', type);
}

function whoWeAre(): Resource {
  const detectors = [serviceInstanceIdDetector, resourceAttributesEnvDetector, serviceNameEnvDetector];
  return defaultResource()
    .merge(resourceFromAttributes({ 'service.name': 'os-inspector-api' }))
    .merge(detectResources({ detectors }));
}

function samplerOf({ sampler, ratio }: OpenTracingOptions['settings']): Sampler {
  const makers: Record<typeof sampler, () => Sampler> = {
    always_on: () => new AlwaysOnSampler(),
    always_off: () => new AlwaysOffSampler(),
    traceidratio: () => new TraceIdRatioBasedSampler(ratio),
    parentbased_always_on: () => new ParentBasedSampler({ root: new AlwaysOnSampler() }),
    parentbased_always_off: () => new ParentBasedSampler({ root: new AlwaysOffSampler() }),
    parentbased_traceidratio: () => new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
  };
  return makers[sampler]();
}

/** Tells once that traces are not taken, and once that they are again. */
function watched(exporter: SpanExporter, logger: OpenTracingOptions['logger']): SpanExporter {
  let isFailing = false;
  // Not as a part of the request that happened to be under way when it was time to send.
  const outside = AsyncLocalStorage.snapshot();
  return {
    export: (spans, done) => outside(() => send(spans, done)),
    shutdown: () => exporter.shutdown(),
  };

  function send(...[spans, done]: Parameters<SpanExporter['export']>): void {
    exporter.export(spans, (result) => {
      const failed = result.code !== ExportResultCode.SUCCESS;
      if (failed && !isFailing) {
        logger.warn({ reason: messageOf(result.error) }, 'traces cannot be sent, and are dropped');
      }
      if (!failed && isFailing) logger.info('traces are sent again');
      isFailing = failed;
      done(result);
    });
  }
}
