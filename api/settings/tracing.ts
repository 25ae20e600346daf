/** tracing: where traces are sent, and of how many requests: `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_TRACES_SAMPLER`. */
import { parseChoice } from './parse.ts';
import type { ReadSetting } from './read-setting.ts';

export const samplers = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

export type TracingSettings = {
  /** Null where nobody collects traces. The exporter reads where to, as all that begins with `OTEL_EXPORTER_OTLP_`. */
  tracing: {
    sampler: (typeof samplers)[number];
    /** Of the samplers that take one: the share of traces that is kept, 0..1. */
    ratio: number;
  } | null;
};

/** Names and defaults are those of OpenTelemetry. */
export const tracingDefaults = {
  OTEL_EXPORTER_OTLP_ENDPOINT: '',
  OTEL_TRACES_SAMPLER: 'parentbased_always_on',
  OTEL_TRACES_SAMPLER_ARG: '1',
} as const;

export function readTracing(read: ReadSetting<keyof typeof tracingDefaults>): TracingSettings {
  const isOn = read('OTEL_EXPORTER_OTLP_ENDPOINT', isEndpoint);
  const sampler = read('OTEL_TRACES_SAMPLER', (value) => parseChoice(value, samplers));
  const ratio = read('OTEL_TRACES_SAMPLER_ARG', parseRatio);
  return { tracing: isOn ? { sampler, ratio } : null };
}

/** The message does not repeat the value, which may hold a password. */
function isEndpoint(value: string): boolean {
  if (value === '') return false;
  if (URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)) return true;
  throw new Error(
    'must be the address of a collector that takes OTLP over HTTP, as in http://127.0.0.1:4318, or empty',
  );
}

function parseRatio(value: string): number {
  const ratio = Number(value);
  if (!/^[\d.]+$/.test(value) || !(ratio <= 1)) {
    throw new Error(`must be a number from 0 to 1, but is ${JSON.stringify(value)}`);
  }
  return ratio;
}
