/** api: a whole API on stores of a test's own, asked without a socket. */
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import { everyone, type Identity } from '../../api/auth/identity.ts';
import type { Bucket } from '../../api/bucket/bucket.ts';
import { openFolderBucket } from '../../api/bucket/folder-bucket.ts';
import { openIndex } from '../../api/index/open-index.ts';
import type { LimitsSettings } from '../../api/limits/limits.ts';
import { encodeReport, encodeSegment } from '../../api/log/segment.ts';
import { segmentKey } from '../../api/log/segment-key.ts';
import type { StoredReport } from '../../api/log/stored-report.ts';
import type { Metrics } from '../../api/operations/metrics.ts';
import type { Tracing } from '../../api/operations/tracing.ts';
import { buildSchema } from '../../api/schema/schema.ts';
import { openService, type ServiceOptions } from '../../api/service.ts';
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
  /** The same API as it is for somebody. */
  as(identity: Identity): Pick<TestApi, 'ask' | 'fetch'>;
  /** What answers on a socket. */
  listener: RequestListener;
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
  /** Who has to show what. @default nobody, and `as` says who asks */
  authentication?: ServiceOptions['authentication'];
  offered?: ServiceOptions['offered'];
  logger?: Logger;
  /** Of a list from which on the index shares its elements. */
  longListLength?: number | undefined;
  /** Stands before the bucket, to make it fail. */
  wrapBucket?: (bucket: Bucket) => Bucket;
  /** How often anyone may ask. @default as often as they like */
  limits?: LimitsSettings;
  metrics?: Metrics;
  tracing?: Tracing;
  /** Requests that are worked on at once. @default any number of them */
  maxInFlight?: number;
};

export async function openTestApi({
  folder,
  plugins = [],
  postgres,
  longListLength,
  wrapBucket,
  authentication,
  offered,
  logger,
  limits,
  metrics,
  tracing,
  maxInFlight,
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
  const identities = new Map<string, Identity>();
  const service = await openService({
    bucket: wrapBucket ? wrapBucket(bucket) : bucket,
    index,
    schema: buildSchema(all),
    plugins: all,
    logger: logger ?? pino({ enabled: false }),
    ...(authentication
      ? { authentication }
      : { gate: async ({ headers }) => identities.get(headers.get(identityHeader) ?? '') ?? everyone }),
    ...(offered ? { offered } : {}),
    ...(limits ? { limits } : {}),
    ...(metrics ? { metrics } : {}),
    ...(tracing ? { tracing } : {}),
    ...(maxInFlight ? { maxInFlight } : {}),
  });
  let open = true;
  const close = async () => {
    if (open) await service.close();
    open = false;
  };
  whenFileIsDone(close);
  const as = (identity: Identity): Pick<TestApi, 'ask' | 'fetch'> => {
    const key = identity === everyone ? '' : crypto.randomUUID();
    if (key) identities.set(key, identity);
    const fetch = async (path: string, init?: RequestInit) => {
      const request = new Request(`http://api.test${path}`, init);
      request.headers.set(identityHeader, key);
      // What is said of a string otherwise is text/plain, which no client here sends.
      if (!new Headers(init?.headers).has('content-type') && typeof init?.body === 'string')
        request.headers.set('content-type', 'application/json');
      return service.server.fetch(request);
    };
    return {
      fetch,
      async ask(query, variables) {
        const headers = { 'content-type': 'application/json' };
        const body = JSON.stringify({ query, variables });
        const response = await fetch('/graphql', { method: 'POST', headers, body });
        return (await response.json()) as Answer;
      },
    };
  };
  return {
    folder,
    ...as(everyone),
    as,
    listener: service.listener,
    async deliver(reports) {
      const key = segmentKey(reports);
      const encoded = reports.map(encodeReport);
      await bucket.put(key, await encodeSegment(encoded));
      await index.apply([{ key, lines: encoded.map(({ line }) => line) }]);
    },
    close,
  };
}

/** Stands for the credentials by which a server finds out who asks. */
const identityHeader = 'x-test-identity';

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
