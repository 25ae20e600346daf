/**
 * sqlite-threads: the threads of one SQLite index: who writes, who looks up single things, who answers lists.
 *
 * Apart, so that neither a long list nor a large segment keeps a report from being taken.
 */
import { Worker } from 'node:worker_threads';
import { Failure } from '../failure.ts';
import type { ForRequest } from './index-store.ts';
import { type ReaderMethod, readerMethods, readerOf } from './reader-methods.ts';
import type { SqlIndex } from './sql-index.ts';
import type { SqliteWorkerData, SqliteWriterData } from './sqlite-worker.ts';
import {
  type Answer,
  type Call,
  cancel,
  fromMessage,
  gathering,
  makeCancellations,
} from './thread-messages.ts';

/** A thread takes some 15 MB; on a small machine more of them only wait for each other. */
const maxListThreads = 2;

/**
 * Megabytes. What a thread makes is mostly garbage at once: a small young generation takes it as fast, and leaves half of
 * the memory to others. The old one holds what a writer remembers, and a bulk of reports, several times over.
 */
const resourceLimits = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 512 };

/** What fits the cells in which calls are cancelled. */
const maxId = 2 ** 31 - 1;

type Thread = {
  call(method: keyof SqlIndex, args: unknown[], signal?: AbortSignal): Promise<unknown>;
  pending(): number;
  /** Whether it has ended: nothing that it is asked is answered. */
  isLost(): boolean;
  /** Once all that it was asked is answered. */
  close(): Promise<void>;
};

/** Resolves once the thread that writes is ready; those that read are started when they are needed. */
export async function openSqliteThreads(
  file: string,
  writing: SqliteWriterData,
): Promise<SqlIndex & { forRequest: ForRequest }> {
  const writer = startThread({ file, writer: writing, yields: false });
  const readerThread = (yields: boolean) => lazily(() => startThread({ file, writer: null, yields }));
  const lookups = readerThread(false);
  const lists = Array.from({ length: maxListThreads }, () => readerThread(true));
  await writer.call('ping', []);

  const on = <M extends keyof SqlIndex>(thread: () => Thread, method: M): SqlIndex[M] =>
    // biome-ignore lint/suspicious/noExplicitAny: the arguments are the method's own, as its type says
    ((...args: any[]) => thread().call(method, args)) as SqlIndex[M];
  const write = <M extends keyof SqlIndex>(method: M) => on(() => writer, method);
  const lookUp = <M extends keyof SqlIndex>(method: M) => on(() => lookups.get(), method);
  /** The first that has nothing to do; the second is started only when there is need. */
  const list = () => (lists.find((thread) => thread.pending() === 0) ?? leastBusy()).get();
  const leastBusy = () => lists.reduce((a, b) => (b.pending() < a.pending() ? b : a));
  const reader = (method: ReaderMethod) => (readerMethods[method] === 'list' ? list() : lookups.get());

  return {
    apply: write('apply'),
    replaced: write('replaced'),
    setMark: write('setMark'),
    forget: write('forget'),
    finish: write('finish'),
    ...readerOf((method, args) => reader(method).call(method, args)),
    forRequest: (signal) => readerOf((method, args) => reader(method).call(method, args, signal)),
    appliedOf: lookUp('appliedOf'),
    mark: lookUp('mark'),
    async close() {
      // Readers first: the last connection to go writes the journal back into the file.
      await Promise.all([lookups, ...lists].map((thread) => thread.close()));
      await writer.close();
    },
  };
}

function lazily(start: () => Thread) {
  let thread: Thread | null = null;
  let closed = false;
  return {
    get: () => {
      // One that ran out of memory, or met a bug, is not the end of all answers.
      if (!thread || (thread.isLost() && !closed)) thread = start();
      return thread;
    },
    async close() {
      closed = true;
      if (!thread?.isLost()) await thread?.close();
    },
    pending: () => thread?.pending() ?? 0,
  };
}

function startThread(options: Omit<SqliteWorkerData, 'cancellations'>): Thread {
  const cancellations = makeCancellations();
  const data: SqliteWorkerData = { ...options, cancellations };
  // Beside this file, which is TypeScript in a checkout and JavaScript in the package.
  const file = import.meta.filename.endsWith('.ts') ? './sqlite-worker.ts' : './sqlite-worker.js';
  const worker = new Worker(new URL(file, import.meta.url), { workerData: data, resourceLimits });
  // It keeps the process alive only while somebody waits for an answer.
  worker.unref();
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  const post = gathering<Call>((calls) => worker.postMessage(calls));
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

  function send(method: keyof SqlIndex, args: unknown[]): { id: number; answer: Promise<unknown> } {
    const answer = Promise.withResolvers<unknown>();
    lastId = (lastId % maxId) + 1;
    waiting.set(lastId, answer);
    if (waiting.size === 1) worker.ref();
    post({ id: lastId, method, args });
    return { id: lastId, answer: answer.promise };
  }

  async function call(method: keyof SqlIndex, args: unknown[], signal?: AbortSignal): Promise<unknown> {
    if (dead) throw dead;
    signal?.throwIfAborted();
    const { id, answer } = send(method, args);
    if (!signal) return answer;
    const abort = () => {
      cancel(cancellations, id);
      waiting.get(id)?.reject(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await answer;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  return {
    pending: () => waiting.size,
    isLost: () => dead !== null,
    call,
    async close() {
      await Promise.allSettled([...waiting.values()].map(({ promise }) => promise));
      await call('close', []);
    },
  };
}
