/**
 * segments: what a report takes in the bucket, and what it costs to compress, gzip beside zstd.
 *
 * `npm run bench -- segments`. By time, as reports arrive and are put; and by host, as segments of an hour are
 * merged. Each figure is a median of runs that take turns.
 */
import { constants, gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { encodeReport } from '../api/log/segment.ts';
import { number, printLines, readFlags, runBenchmark } from './benchmark.ts';
import { makeFleet } from './fleet.ts';
import { median } from './median.ts';

const defaults = { runs: 3, reports: 30_000, sizes: [1, 32, 1000, 30_000] };

/** What is measured for each size, so that small segments do not take all of the time. */
const maxSegments = 2000;

type Codec = {
  name: string;
  compress: (text: Buffer) => Uint8Array;
  decompress: (body: Uint8Array) => Uint8Array;
};

const codecs: Codec[] = [
  { name: 'gzip 6', compress: (text) => gzipSync(text, { level: 6 }), decompress: gunzipSync },
  ...[1, 3, 9].map((level) => ({
    name: `zstd ${level}`,
    compress: (text: Buffer) =>
      zstdCompressSync(text, {
        params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 },
      }),
    decompress: zstdDecompressSync,
  })),
];

type Cost = { bytes: number; writeUs: number; readUs: number };

export async function main(args: string[] = []): Promise<void> {
  const { runs, reports, sizes } = readFlags(args, defaults);
  const lines = linesOfAnHour(reports);
  for (const size of sizes) compare('by time', lines.byTime, size, runs);
  compare('by host', lines.byHost, reports, runs);
}

/** Of hosts that report every minute. */
function linesOfAnHour(reports: number): { byTime: string[]; byHost: string[] } {
  const ticks = 60;
  const hosts = Math.max(1, Math.floor(reports / ticks));
  const fleet = makeFleet({ hosts, intervalSeconds: 60 });
  const byTime: string[] = [];
  const ofHosts: string[][] = Array.from({ length: hosts }, () => []);
  for (let tick = 0; tick < ticks; tick++) {
    for (const [host, own] of ofHosts.entries()) {
      const { line } = encodeReport(fleet.report(host, tick));
      byTime.push(line);
      own.push(line);
    }
  }
  return { byTime, byHost: ofHosts.flat() };
}

function compare(order: string, lines: readonly string[], size: number, runs: number): void {
  const texts: Buffer[] = [];
  for (let start = 0; start < lines.length && texts.length < maxSegments; start += size) {
    texts.push(Buffer.from(`${lines.slice(start, start + size).join('\n')}\n`));
  }
  const reports = Math.min(lines.length, texts.length * size);
  const costs = new Map<string, Cost[]>(codecs.map(({ name }) => [name, []]));
  for (let run = 0; run < runs; run++) {
    for (const codec of codecs) costs.get(codec.name)?.push(measure(codec, texts, reports));
  }
  const plain = texts.reduce((sum, text) => sum + text.length, 0) / reports;
  const rows = codecs.map(({ name }) => ({ name, cost: medianCost(costs.get(name) ?? []) }));
  const gzip = rows[0]?.cost;
  printLines(
    `segments: ${number(size)} reports ${order}, ${number(plain)} bytes of text each`,
    rows.map(({ name, cost }) => ({
      name,
      figure: `${number(cost.bytes)} bytes/report`,
      beside:
        `${number(cost.writeUs)} µs to write, ${number(cost.readUs)} µs to read; ` +
        `of gzip's: ${number(cost.bytes / (gzip?.bytes ?? 1))} of the size, ` +
        `${number(cost.writeUs / (gzip?.writeUs ?? 1))} of the time to write`,
    })),
  );
}

function measure({ compress, decompress }: Codec, texts: readonly Buffer[], reports: number): Cost {
  const startedAt = performance.now();
  const bodies = texts.map(compress);
  const writtenAt = performance.now();
  for (const body of bodies) decompress(body);
  const readAt = performance.now();
  return {
    bytes: bodies.reduce((sum, body) => sum + body.length, 0) / reports,
    writeUs: ((writtenAt - startedAt) * 1000) / reports,
    readUs: ((readAt - writtenAt) * 1000) / reports,
  };
}

function medianCost(costs: readonly Cost[]): Cost {
  return {
    bytes: median(costs.map(({ bytes }) => bytes)),
    writeUs: median(costs.map(({ writeUs }) => writeUs)),
    readUs: median(costs.map(({ readUs }) => readUs)),
  };
}

if (import.meta.main) await runBenchmark(main);
