/** Whatever lies in the spool, stands in a config or comes from a plugin, the agent says so and goes on. */
import fc from 'fast-check';
import { createCollector } from '../../agent/collect.ts';
import { checkConfig } from '../../agent/config.ts';
import { DamagedEntryError, decodeEntry, encodeEntry } from '../../agent/delivery/spool-entry.ts';
import { inThisThread } from '../../agent/isolation/plugin-source.ts';
import { buildReport, pluginStatuses } from '../../agent/report.ts';
import { count, definePlugin, list, number, text } from '../../plugins/plugin.ts';
import { damage, seededRandom } from '../support/noise.ts';
import { hostId } from '../support/reports.ts';
import { hostile, hostileText, json } from './arbitraries.ts';
import { demand, fuzz } from './fuzz.ts';

const report = buildReport({
  host: { id: hostId(1), name: 'web-1', labels: {} },
  agentVersion: '0.1.0',
  collectedAt: new Date('2026-05-01T10:00:00Z'),
  intervalMs: 60_000,
  results: hostile.map((content, version) => ({
    plugin: `p${version}`,
    version,
    status: 'OK',
    durationMs: 1,
    facts: { content: content.toWellFormed() },
    readings: null,
    error: null,
  })),
});
const entry = encodeEntry(report);
const written = JSON.stringify(report);

const damagedEntry = fc.noShrink(fc.nat()).map((seed) => Buffer.from(damage(entry, seededRandom(seed))));
const otherEntry = fc
  .tuple(json, fc.uint8Array({ maxLength: 60 }))
  .map(([header, body]) => Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), body]));

fuzz(
  'an entry of the spool is the report that was written, or damaged',
  0.08,
  fc.oneof(damagedEntry, otherEntry),
  (bytes) => {
    try {
      demand(JSON.stringify(decodeEntry(bytes).report) === written, 'another report');
    } catch (cause) {
      demand(cause instanceof DamagedEntryError && cause.message.length < 500, String(cause));
    }
  },
);

const keys = ['api', 'interval', 'labels', 'plugins', 'timeout', 'spool', 'log', 'metrics', '$schema'];
const config = fc.oneof(
  json,
  fc.dictionary(fc.oneof(fc.constantFrom(...keys), hostileText), json),
  fc.record({
    api: fc.record({ url: hostileText, token: json }),
    interval: fc.oneof(hostileText, fc.constantFrom('60s', '1h', 60, '5m')),
    labels: fc.dictionary(hostileText, hostileText),
    plugins: fc.array(
      fc.oneof(
        fc.constantFrom('cpu', 'os', 'exec'),
        hostileText,
        fc.record({ use: hostileText, timeout: json, options: json, interval: json, memory: json }),
      ),
    ),
  }),
);

fuzz('a config is taken, or every problem has a place and a text', 0.06, config, (value) => {
  const { config, problems } = checkConfig(value);
  demand((config === null) === problems.length > 0, 'neither a config nor problems');
  for (const { path, message } of problems) {
    demand(typeof path === 'string' && message.length > 0, JSON.stringify({ path, message }));
  }
});

const plugin = definePlugin({
  name: 'rack',
  version: 1,
  description: 'where it stands',
  facts: { row: count('row'), name: text('name'), tags: list('tags', { key: text('key') }) },
  readings: { load: number('load') },
  collect: async () => null,
});

/** What JSON cannot hold, what throws when it is looked at, and what has no end. */
const odd = fc.constantFrom<() => unknown>(
  () => undefined,
  () => Symbol('s'),
  () => 10n,
  () => () => 1,
  () => Number.NaN,
  () => new Date(Number.NaN),
  () => new Map([['a', 1]]),
  () =>
    new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('trap');
        },
      },
    ),
  () => ({
    get row() {
      throw new Error('getter');
    },
  }),
  () => Object.create(null),
  () => {
    const ring: { ring?: unknown } = {};
    ring.ring = ring;
    return ring;
  },
  () => ({
    toJSON: () => {
      throw new Error('toJSON');
    },
  }),
  () => new Array(5),
  () => Buffer.from('a'),
);
const value = fc.oneof(
  json.map((inner) => () => inner),
  odd,
);
const collected = fc.oneof(
  value,
  fc
    .record({ row: value, name: value, tags: value, load: value })
    .map((made) => () => Object.fromEntries(Object.entries(made).map(([name, make]) => [name, make()]))),
);
const ways = fc.constantFrom('return', 'throw', 'reject', 'resolve');

fuzz(
  'whatever a plugin does, the report has one result of it that JSON can hold',
  0.06,
  fc.tuple(collected, ways),
  async ([make, way]) => {
    const run: Record<string, () => unknown> = {
      return: make,
      resolve: async () => make(),
      reject: () => Promise.reject(make()),
      throw: () => {
        throw make();
      },
    };
    const misbehaving = { ...plugin, collect: run[way] as never };
    const configured = {
      plugin: misbehaving,
      source: inThisThread(misbehaving, {}),
      timeoutMs: 5_000,
      intervalMs: null,
    };
    const collector = createCollector([configured as never], { root: '/', platform: 'linux' });
    const results = await collector.collect(new AbortController().signal);
    demand(results.length === 1, `${results.length} results`);
    const [result] = JSON.parse(JSON.stringify(results));
    demand(pluginStatuses.includes(result.status), JSON.stringify(result));
    demand(result.status !== 'ERROR' || result.error.length > 0, 'an error without a text');
  },
);
