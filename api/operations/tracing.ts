/**
 * tracing: where the time of a request goes, as spans for those who collect them (OpenTelemetry).
 *
 * Here is what the parts of the API rely on; open-tracing.ts does it, and is loaded only where there is a collector. Spans
 * say what work was done and how it ended: no variables, no values of facts, no text that a client chose, no credentials.
 */
import type { Attributes, Span } from '@opentelemetry/api';

export type Tracing = {
  /** A request: begins a trace, or goes on with the one that its headers name (W3C Trace Context). */
  request(headers: Headers, name: string, attributes: Attributes, work: () => Promise<void>): Promise<void>;
  /** A part of what is under way. Where that is in no trace, or is over by now, the work is only done. */
  part<T>(name: string, attributes: Attributes, work: () => Promise<T>): Promise<T>;
  /** Work for several at once: a part of the first of them, linked with all others. Of nobody's where there is none. */
  shared<T>(of: readonly Span[], name: string, attributes: Attributes, work: () => Promise<T>): Promise<T>;
  /** A part that ends when it is told so; null where what is under way is in no trace. */
  begin(name: string, attributes: Attributes): Begun | null;
  /** The span of what is under way; null where that is in no trace, or over. */
  current(): Span | null;
  /** What is under way goes wrong, and does not throw. @param type a status or a code */
  failed(type: string): void;
  /** Sends what was not sent yet. */
  flush(): Promise<void>;
  /** Sends what was not sent yet; gives up soon when the collector does not answer. */
  close(): Promise<void>;
};

/** @param failure what it ended with; none where all went well */
export type Begun = { end(failure?: unknown): void };

/** Names of what is not named by OpenTelemetry's conventions. */
export const own = {
  key: 'os_inspector.bucket.key',
  prefix: 'os_inspector.bucket.prefix',
  bytes: 'os_inspector.bucket.bytes',
  reports: 'os_inspector.log.reports',
  rootFields: 'os_inspector.graphql.root_fields',
  requestId: 'os_inspector.request.id',
  errorCodes: 'os_inspector.graphql.error_codes',
} as const;

/** By which lines of the log and a trace are found by each other; none where what is under way is in no trace. */
export function traceFields(tracing: Tracing | null): Record<string, string> {
  const span = tracing?.current()?.spanContext();
  return span ? { trace_id: span.traceId, span_id: span.spanId } : {};
}
