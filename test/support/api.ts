/** api: a whole API on stores of a test's own, asked without a socket. */
import { join } from 'node:path';
import { pino } from 'pino';
import type { Bucket } from '../../api/bucket/bucket.ts';
import { openFolderBucket } from '../../api/bucket/folder-bucket.ts';
import { openIndex } from '../../api/index/open-index.ts';
import { encodeReport, encodeSegment } from '../../api/log/segment.ts';
import { segmentKey } from '../../api/log/segment-key.ts';
import type { StoredReport } from '../../api/log/stored-report.ts';
import { buildSchema } from '../../api/schema/schema.ts';
import { openService } from '../../api/service.ts';
import { loadBuiltinPlugins } from '../../plugins/index.ts';
import type { AnyPlugin } from '../../plugins/plugin.ts';
import { whenFileIsDone } from './cleanup.ts';
import { temporaryFolder } from './temporary-folder.ts';

export type Answer = {
  // biome-ignore lint/suspicious/noExplicitAny: the shape is the query's, which tests write as text
  data?: any;
  errors?: {
    message: string;
    path?: unknown;
    extensions: { code: string; path?: unknown; retryAfter?: number };
  }[];
};

export type TestApi = {
  folder: string;
  /** Asks GraphQL; errors are in the answer. */
  ask(query: string, variables?: Record<string, unknown>): Promise<Answer>;
  /** Any HTTP request to a path. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Brings a segment of another API, as catch-up does. @param reports received within one hour */
  deliver(reports: readonly StoredReport[]): Promise<void>;
  close(): Promise<void>;
};

export type TestApiOptions = {
  /** Stores of an API before this one. */
  folder?: string;
  plugins?: readonly AnyPlugin[];
  /** Of an empty database for its index. @default a file of SQLite */
  postgres?: string;
  /** Of a list from which on the index shares its elements. */
  longListLength?: number | undefined;
  /** Stands before the bucket, to make it fail. */
  wrapBucket?: (bucket: Bucket) => Bucket;
};

export async function openTestApi({
  folder,
  plugins = [],
  postgres,
  longListLength,
  wrapBucket,
}: TestApiOptions = {}): Promise<TestApi> {
  folder ??= await temporaryFolder();
  const all = [...(await loadBuiltinPlugins()), ...plugins];
  const bucket = await openFolderBucket(join(folder, 'bucket'));
  const index = await openIndex({
    settings: postgres
      ? { kind: 'postgres', url: postgres }
      : { kind: 'sqlite', file: join(folder, 'index.db') },
    bucket: bucket.location,
    plugins: all,
    longListLength,
  });
  const service = await openService({
    bucket: wrapBucket ? wrapBucket(bucket) : bucket,
    index,
    schema: buildSchema(all),
    plugins: all,
    logger: pino({ enabled: false }),
  });
  let open = true;
  const close = async () => {
    if (open) await service.close();
    open = false;
  };
  whenFileIsDone(close);
  const fetch = async (path: string, init?: RequestInit) =>
    service.server.fetch(new Request(`http://api.test${path}`, init));
  return {
    folder,
    fetch,
    async deliver(reports) {
      const key = segmentKey(reports);
      const encoded = reports.map(encodeReport);
      await bucket.put(key, await encodeSegment(encoded));
      await index.apply([{ key, lines: encoded.map(({ line }) => line) }]);
    },
    close,
    async ask(query, variables) {
      const headers = { 'content-type': 'application/json' };
      const response = await fetch('/graphql', {
        method: 'POST',
        headers,
        body: JSON.stringify({ query, variables }),
      });
      return (await response.json()) as Answer;
    },
  };
}

/** The data of an answer that must have no errors. */
export async function dataOf(answer: Promise<Answer>) {
  const { data, errors } = await answer;
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

export const submitMutation = /* GraphQL */ `
  mutation Submit($input: SubmitReportInput!) {
    submitReport(input: $input) { duplicate report { id } }
  }
`;
