/**
 * sqlite-threads: the threads of one SQLite index: who writes, who looks up single things, who answers lists.
 *
 * Apart, so that neither a long list nor a large segment keeps a report from being taken.
 */
import { Worker } from 'node:worker_threads';
import { Failure } from '../failure.ts';
import type { Declaration } from './flatten.ts';
import { type IndexReader, readerMethods } from './index-store.ts';
import type { IndexMode, SqlIndex } from './sql-index.ts';
import type { SqliteWorkerData } from './sqlite-worker.ts';
import { type Answer, type Call, fromMessage, gathering } from './thread-messages.ts';

/** A thread takes some 15 MB; on a small machine more of them only wait for each other. */
const maxListThreads = 2;

/**
 * Megabytes. What a thread makes is mostly garbage at once: a small young generation takes it as fast, and leaves half of
 * the memory to others. The old one holds what a writer remembers, and a bulk of reports, several times over.
 */
const resourceLimits = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 512 };

type Thread = {
  call(method: keyof SqlIndex, args: unknown[]): Promise<unknown>;
  pending(): number;
  /** Once all that it was asked is answered. */
  close(): Promise<void>;
};

/** Resolves once the thread that writes is ready; those that read are started when they are needed. */
export async function openSqliteThreads(
  file: string,
  declarations: readonly Declaration[],
  mode: IndexMode,
): Promise<SqlIndex> {
  const writer = startThread({ file, writer: { declarations, mode }, yields: false });
  const reader = (yields: boolean) => lazily(() => startThread({ file, writer: null, yields }));
  const lookups = reader(false);
  const lists = Array.from({ length: maxListThreads }, () => reader(true));
  await writer.call('ping', []);

  const on = <M extends keyof SqlIndex>(thread: () => Thread, method: M): SqlIndex[M] =>
    // biome-ignore lint/suspicious/noExplicitAny: the arguments are the method's own, as its type says
    ((...args: any[]) => thread().call(method, args)) as SqlIndex[M];
  const write = <M extends keyof SqlIndex>(method: M) => on(() => writer, method);
  const lookUp = <M extends keyof SqlIndex>(method: M) => on(() => lookups.get(), method);
  /** The first that has nothing to do; the second is started only when there is need. */
  const list = <M extends keyof SqlIndex>(method: M) =>
    on(() => (lists.find((thread) => thread.pending() === 0) ?? leastBusy()).get(), method);
  const leastBusy = () => lists.reduce((a, b) => (b.pending() < a.pending() ? b : a));

  const readers = Object.fromEntries(
    Object.entries(readerMethods).map(([method, kind]) => [
      method,
      (kind === 'lookup' ? lookUp : list)(method as keyof IndexReader),
    ]),
  );

  return {
    apply: write('apply'),
    replaced: write('replaced'),
    setMark: write('setMark'),
    forget: write('forget'),
    finish: write('finish'),
    ...(readers as IndexReader),
    appliedOf: lookUp('appliedOf'),
    mark: lookUp('mark'),
    async close() {
      const started = [lookups, ...lists].flatMap((thread) => thread.started() ?? []);
      // Readers first: the last connection to go writes the journal back into the file.
      await Promise.all(started.map((thread) => thread.close()));
      await writer.close();
    },
  };
}

function lazily(start: () => Thread) {
  let thread: Thread | null = null;
  return {
    get: () => {
      thread ??= start();
      return thread;
    },
    started: () => thread,
    pending: () => thread?.pending() ?? 0,
  };
}

function startThread(data: SqliteWorkerData): Thread {
  // Beside this file, which is TypeScript in a checkout and JavaScript in the package.
  const file = import.meta.filename.endsWith('.ts') ? './sqlite-worker.ts' : './sqlite-worker.js';
  const worker = new Worker(new URL(file, import.meta.url), { workerData: data, resourceLimits });
  // It keeps the process alive only while somebody waits for an answer.
  worker.unref();
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  const send = gathering<Call>((calls) => worker.postMessage(calls));
  let lastId = 0;
  let dead: Error | null = null;

  worker.on('message', (answers: Answer[]) => {
    for (const { id, value, error } of answers) {
      const { resolve, reject } = waiting.get(id) ?? {};
      waiting.delete(id);
      if (error) reject?.(fromMessage(error));
      else resolve?.(value);
    }
    if (waiting.size === 0) worker.unref();
  });
  const end = (cause: Error) => {
    dead ??= cause;
    for (const { reject } of waiting.values()) reject(dead);
    waiting.clear();
  };
  worker.on('error', (cause) => end(cause as Error));
  worker.on('exit', () => end(new Failure('UNAVAILABLE', `the index ${data.file} is closed`)));

  function call(method: keyof SqlIndex, args: unknown[]): Promise<unknown> {
    if (dead) return Promise.reject(dead);
    const answer = Promise.withResolvers<unknown>();
    lastId += 1;
    waiting.set(lastId, answer);
    if (waiting.size === 1) worker.ref();
    send({ id: lastId, method, args });
    return answer.promise;
  }

  return {
    pending: () => waiting.size,
    call,
    async close() {
      await Promise.allSettled([...waiting.values()].map(({ promise }) => promise));
      await call('close', []);
    },
  };
}
