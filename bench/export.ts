/**
 * export: how fast `GET /export/…` hands out rows and what memory that takes, beside plain reading of the bucket.
 *
 * `npm run bench -- export --reports 300000 --hosts 5000`. The API is a process of its own; its memory is looked at all the
 * while. A reader that takes its time must not make it grow.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Bucket } from '../api/bucket/bucket.ts';
import { segmentPrefix } from '../api/log/segment-key.ts';
import { decompressText, linesOf } from '../api/log/segment-text.ts';
import { number, printLine, printLines, readFlags, runBenchmark } from './benchmark.ts';
import { makeFleet } from './fleet.ts';
import { writeSegments } from './fleet-segments.ts';
import {
  cpuSecondsOf,
  dialectsFor,
  folderStore,
  memoryOf,
  newIndexEnv,
  openStore,
  startBenchApi,
} from './servers.ts';

const defaults = {
  reports: 20_000,
  hosts: 1_000,
  /** For how long the slow reader reads, at about one megabyte a second. */
  slowSeconds: 5,
  postgres: false,
};

const paths = ['reports.ndjson', 'reports.csv', 'hosts.ndjson', 'hosts.csv'] as const;

export async function main(args: string[] = []): Promise<void> {
  const { reports, hosts, slowSeconds, postgres } = readFlags(args, defaults);
  const bucketEnv = await folderStore.env();
  const bucket = await openStore(bucketEnv);
  await writeSegments(bucket, makeFleet({ hosts }).next(reports), 1_000);
  const plain = await readBucket(bucket);
  for (const dialect of dialectsFor(postgres)) {
    const { url, pid } = await startBenchApi({ ...bucketEnv, ...(await newIndexEnv(dialect)) });
    printLines(`export: ${number(reports)} reports of ${number(hosts)} hosts in ${dialect}`, []);
    printLine({
      name: 'plain reading of the bucket: decompress, part in lines',
      figure: `${number(plain.rows / plain.seconds)} rows/s`,
    });
    for (const path of paths) {
      const before = await memoryOf(pid);
      const cpuBefore = await cpuSecondsOf(pid);
      const startedAt = performance.now();
      const { rows, bytes } = await download(new URL(`/export/${path}`, url));
      const seconds = (performance.now() - startedAt) / 1000;
      const after = await memoryOf(pid);
      const cpuSeconds = (await cpuSecondsOf(pid)) - cpuBefore;
      printLine({
        name: path,
        figure: `${number(rows / seconds)} rows/s`,
        beside: [
          `${number(bytes / 2 ** 20 / seconds)} MiB/s`,
          `${number((cpuSeconds / rows) * 1e6)} µs of CPU a row`,
          ...(path === 'reports.ndjson'
            ? [`plain reading is ${number(plain.rows / plain.seconds / (rows / seconds))} × as fast`]
            : []),
          ...(before && after ? [`peak memory ${growth(before.peak, after.peak)}`] : []),
        ].join(', '),
      });
    }
    const before = await memoryOf(pid);
    await readSlowly(new URL('/export/reports.ndjson', url), slowSeconds);
    const after = await memoryOf(pid);
    if (before && after) {
      printLine({
        name: `memory after ${slowSeconds} s of a slow reader`,
        figure: `${number(after.now)} MiB`,
        beside: `peak ${growth(before.peak, after.peak)}`,
      });
    }
  }
  bucket.close();
}

function growth(before: number, after: number): string {
  return `${number(before)} → ${number(after)} MiB`;
}

async function readBucket(bucket: Bucket): Promise<{ rows: number; seconds: number }> {
  const startedAt = performance.now();
  let rows = 0;
  for await (const { key } of bucket.list({ prefix: segmentPrefix })) {
    const body = await bucket.get(key);
    if (!body) throw new Error(`no ${key}, which was listed`);
    for await (const lines of linesOf(await decompressText(key, body))) rows += lines.length;
  }
  return { rows, seconds: (performance.now() - startedAt) / 1000 };
}

/** Without the head of a CSV, whose text holds no line ends in the fleet. */
async function download(url: URL): Promise<{ rows: number; bytes: number }> {
  const { body, status } = await fetch(url);
  if (status !== 200 || !body) throw new Error(`${url.pathname} answered ${status}`);
  let rows = url.pathname.endsWith('.csv') ? -1 : 0;
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    for (let at = chunk.indexOf(0x0a); at !== -1; at = chunk.indexOf(0x0a, at + 1)) rows += 1;
  }
  return { rows, bytes };
}

/** 64 kB sixteen times a second, and leaves. */
async function readSlowly(url: URL, seconds: number): Promise<void> {
  const { body } = await fetch(url);
  if (!body) throw new Error(`${url.pathname} has no body`);
  const reader = body.getReader();
  const until = performance.now() + seconds * 1000;
  for (let done = false; !done && performance.now() < until; ) {
    ({ done } = await reader.read());
    await pause(1000 / 16);
  }
  await reader.cancel();
}

if (import.meta.main) await runBenchmark(main);
