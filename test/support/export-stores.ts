/** export-stores: an index with made-up reports, and the exports over it, whose reads are counted and can be made to fail. */

import { once } from 'node:events';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pino } from 'pino';
import { v7 as uuidV7 } from 'uuid';
import { openGate } from '../../api/auth/gate.ts';
import { everyone } from '../../api/auth/identity.ts';
import { type Exports, openExports } from '../../api/export/exports.ts';
import type { IndexReader } from '../../api/index/index-store.ts';
import { openIndex } from '../../api/index/open-index.ts';
import { askReader, readerOf } from '../../api/index/reader-methods.ts';
import { makeLimits, noLimits } from '../../api/limits/limits.ts';
import { segmentKey } from '../../api/log/segment-key.ts';
import type { StoredReport } from '../../api/log/stored-report.ts';
import { makeMetrics } from '../../api/operations/metrics.ts';
import { buildSchema } from '../../api/schema/schema.ts';
import { createServer, everything } from '../../api/server.ts';
import { loadBuiltinPlugins } from '../../plugins/index.ts';
import { whenFileIsDone } from './cleanup.ts';
import { hostId, result, storedReport } from './reports.ts';
import { temporaryFolder } from './temporary-folder.ts';

export type ExportStores = {
  exports: Exports;
  /** Brings reports received within one hour into the index. */
  deliver(reports: readonly StoredReport[]): Promise<void>;
  /** Asks without a socket. */
  get(path: string, init?: RequestInit): Promise<Response>;
  /** Where the same is answered over a socket: an origin. */
  listen(): Promise<string>;
  /** Lists that were asked of the index until now. */
  lists(): number;
  /** Stands before each list; may throw, or wait. */
  beforeList(hook: (signal: AbortSignal) => Promise<void> | void): void;
};

export type ExportStoresOptions = {
  /** Of an empty database. @default a file of SQLite */
  postgres?: string | undefined;
  stalledMs?: number;
  /** @default half a minute */
  queryTimeoutMs?: number;
};

export async function openExportStores({
  postgres,
  stalledMs,
  queryTimeoutMs = 30_000,
}: ExportStoresOptions = {}): Promise<ExportStores> {
  const plugins = await loadBuiltinPlugins();
  const schema = buildSchema(plugins);
  const logger = pino({ enabled: false });
  const index = await openIndex({
    settings: postgres
      ? { kind: 'postgres', url: postgres }
      : { kind: 'sqlite', file: join(await temporaryFolder(), 'index.db') },
    bucket: 'file:/exports',
    plugins,
  });
  whenFileIsDone(index.close);
  let lists = 0;
  let hook: Parameters<ExportStores['beforeList']>[0] = () => {};
  const watched = (reader: IndexReader, signal: AbortSignal) =>
    readerOf(async (method, args) => {
      if (method === 'reports' || method === 'hosts') {
        lists += 1;
        await hook(signal);
      }
      return askReader(reader, method, args);
    });
  const exports = openExports({
    isGood: () => true,
    index: { forRequest: (signal) => watched(index.forRequest(signal), signal) },
    ...{ plugins, schema, logger, queryTimeoutMs, now: Date.now },
    ...(stalledMs === undefined ? {} : { stalledMs }),
  });
  return {
    exports,
    deliver: (reports) => index.apply([{ key: segmentKey(reports), reports: [...reports] }]),
    async get(path, init) {
      const request = new Request(`http://api.test${path}`, init);
      return exports.answer(request, new URL(request.url), everyone);
    },
    async listen() {
      const server = createServer({
        // Only exports are asked of it.
        services: { limits: makeLimits(noLimits) } as never,
        ...{
          schema,
          exports,
          logger,
          gate: openGate,
          offered: everything,
          metrics: makeMetrics(),
          checkReady: async () => ({}),
        },
      });
      const http: HttpServer = createHttpServer(server).listen(0, '127.0.0.1');
      await once(http, 'listening');
      whenFileIsDone(() => http.closeAllConnections());
      whenFileIsDone(() => http.close());
      return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    },
    lists: () => lists,
    beforeList(next) {
      hook = next;
    },
  };
}

const start = Date.parse('2026-05-01T10:00:00Z');

/** Reports of a few hosts, a second after each other; their number is in `os.kernel`. */
export function numberedReports(count: number, from = 0): StoredReport[] {
  return Array.from({ length: count }, (_, index) => {
    const number = from + index;
    return storedReport({
      id: uuidV7({ msecs: start + number }),
      host: { id: hostId(number % 7), name: `web-${number % 7}`, labels: { rack: `r${number % 3}` } },
      collectedAt: new Date(start + number * 1000).toISOString(),
      results: [result('os', { kernel: `6.1.${number}`, platform: 'linux' }, { uptimeSeconds: number })],
    });
  });
}

/** The objects of an NDJSON answer. */
export async function linesOf(response: Response) {
  const lines = (await response.text()).split('\n');
  if (lines.pop() !== '') throw new Error('the last line has no end');
  return lines.map((line) => JSON.parse(line));
}
