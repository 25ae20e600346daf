/** Whatever lies in the bucket where a segment should, costs no report of another one. */
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { beforeAll } from 'vitest';
import { Failure } from '../../api/failure.ts';
import type { IndexStore } from '../../api/index/index-store.ts';
import { openIndex } from '../../api/index/open-index.ts';
import { catchUp } from '../../api/log/catch-up.ts';
import { decodeSegment, encodeReport, encodeSegment } from '../../api/log/segment.ts';
import { segmentKey } from '../../api/log/segment-key.ts';
import { parseStoredReport } from '../../api/log/stored-report.ts';
import { whenFileIsDone } from '../support/cleanup.ts';
import { memoryBucket } from '../support/memory-bucket.ts';
import { damage, seededRandom } from '../support/noise.ts';
import { hostId, result, storedReport } from '../support/reports.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { hostileText, json } from './arbitraries.ts';
import { demand, fuzz } from './fuzz.ts';

const whole = await encodeSegment([
  encodeReport(storedReport({ results: [result('cpu', { threads: 4 }), result('os', { version: '12' })] })),
  encodeReport(storedReport({ host: { id: hostId(2), name: 'web-2', labels: { a: 'b' } } })),
]);
const line = encodeReport(storedReport({ results: [result('rack', { row: 7 }, { load: 1 })] })).line;

let index: IndexStore;
beforeAll(async () => {
  const folder = await temporaryFolder();
  index = await openIndex({
    settings: { kind: 'sqlite', file: join(folder, 'index.db') },
    bucket: 'memory',
    plugins: [],
  });
  whenFileIsDone(() => index.close());
});

const damagedSegment = fc.noShrink(fc.nat()).map((seed) => damage(whole, seededRandom(seed)));
/** Right lines in which one value, anywhere, is another. */
const oddLine = fc
  .tuple(fc.constantFrom(...Object.keys(JSON.parse(line)), 'host.id', 'host.labels', 'results.0.facts'), json)
  .map(([path, value]) => {
    const report = JSON.parse(line);
    const steps = path.split('.');
    const last = steps.pop() as string;
    // biome-ignore lint/suspicious/noExplicitAny: any place in JSON
    const place = steps.reduce((inner: any, step) => inner[step], report);
    place[last] = value;
    return JSON.stringify(report);
  });
const lines = fc.array(
  fc.oneof(
    hostileText,
    json.map((value) => JSON.stringify(value)),
    oddLine,
  ),
  { maxLength: 4 },
);
const content = fc.oneof(
  damagedSegment,
  lines.map((all) => zstdCompressSync(Buffer.from(all.join('\n')))),
  fc.uint8Array({ maxLength: 60 }),
);

fuzz('a segment is read whole, or set aside', 0.05, content, async (bytes) => {
  try {
    const { reports } = await decodeSegment('reports/x', bytes);
    for (const report of reports) parseStoredReport(JSON.stringify(report));
  } catch (cause) {
    demand(cause instanceof Failure && cause.kind === 'CORRUPT', String(cause));
  }
});

fuzz('the reports beside it are found all the same', 0.02, content, async (bytes) => {
  const bucket = memoryBucket();
  const good = encodeReport(storedReport());
  await bucket.put(segmentKey([good.report]), await encodeSegment([good]));
  await bucket.put(segmentKey([storedReport()]), bytes);
  const { corrupt } = await catchUp({ bucket, index, from: 'start', onCorrupt: () => {} });
  demand(
    corrupt.every(({ kind }) => kind === 'CORRUPT'),
    corrupt.map(String).join(),
  );
  const [found] = await index.reportsById([good.report.id]);
  demand(found?.id === good.report.id, 'the report beside it is not there');
});
