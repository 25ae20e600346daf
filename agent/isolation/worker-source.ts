/**
 * worker-source: a user's plugin in a thread of its own, which lives from one collection to the next.
 *
 * Whatever the thread does costs one result: it is ended at its timeout, when it takes too much memory, or by itself,
 * and the next collection starts it anew. Between collections that are far apart it is ended as well, unless
 * the plugin keeps something in its cache.
 */
import type { PluginDeclaration } from '../../plugins/plugin.ts';
import { OperatorError } from '../error-text.ts';
import { loadWithin } from '../load-within.ts';
import type { Outcome } from '../outcome.ts';
import type { Problem } from '../problem.ts';
import type { PluginTask } from './messages.ts';
import type { Observed } from './observe-thread.ts';
import type { PluginSource } from './plugin-source.ts';
import { type PluginThread, startPluginThread, type ThreadOptions } from './plugin-thread.ts';

export type WorkerSettings = {
  task: Omit<PluginTask, 'port'>;
  memoryBytes: number;
  /** Time to load and to check the options. */
  loadMs: number;
  /** Told what the plugin threw when nobody waited for it. */
  onStray(use: string, error: string): void;
};

export type LoadedWorker = {
  declaration: PluginDeclaration;
  problems: Problem[];
  warnings: string[];
  /** That it was loaded from, absolute. */
  files: string[];
  source: PluginSource;
};

/** The plugin's thread failed or was ended; the message says how, with the plugin as its subject. */
export class PluginThreadError extends OperatorError {
  override name = 'PluginThreadError';
}

/** For a plugin that heeds its signal to do so, which spares its cache and a new start. */
const graceMs = 250;
/** A start takes some 0.15 s of CPU: at this distance less than a thousandth of a core. */
const endBeforeMs = 5 * 60_000;

type Loaded = Omit<LoadedWorker, 'source'> & { thread: PluginThread };

/**
 * Loads a plugin in a thread of its own.
 *
 * @throws LoadTimeoutError; PluginThreadError for a plugin that cannot be loaded
 */
export async function loadInWorker(settings: WorkerSettings): Promise<LoadedWorker> {
  const { task, memoryBytes, loadMs, onStray } = settings;
  const { use } = task;
  const waiting = new Map<number, (answer: { outcome: Outcome } | { failure: Error }) => void>();
  let current: Loaded | null = null;
  let lastId = 0;
  let isCaching = false;
  let observed: Observed | null = null;

  /** Settles when it has loaded, failed or ended. */
  function start(): { thread: PluginThread; loaded: Promise<Loaded> } {
    const { promise, resolve, reject } = Promise.withResolvers<Loaded>();
    const onMessage: ThreadOptions['onMessage'] = (message) => {
      if (message.is === 'stray') onStray(use, message.error);
      else if (message.is === 'failed') reject(new PluginThreadError(message.error));
      else if (message.is === 'loaded') resolve({ ...message, thread });
      else {
        isCaching = message.cached > 0;
        observed = message.observed;
        waiting.get(message.id)?.({ outcome: JSON.parse(message.outcome) });
      }
    };
    const thread = startPluginThread(task, { memoryBytes, onMessage });
    thread.ended.then((why) => {
      if (current?.thread === thread) current = null;
      const failure = new PluginThreadError(why);
      reject(new PluginThreadError(`plugin ${use} ${why}`));
      for (const settle of waiting.values()) settle({ failure });
    });
    return { thread, loaded: promise };
  }

  async function load(stop?: AbortSignal): Promise<Loaded> {
    const { thread, loaded } = start();
    thread.busy(true);
    try {
      current = await loadWithin(loadMs, () => loaded, stop);
      return current;
    } catch (error) {
      thread.end('did not load');
      throw error;
    } finally {
      thread.busy(false);
    }
  }

  async function collect(signal: AbortSignal, root: string): Promise<Outcome> {
    const { thread } = current ?? (await load(signal));
    lastId += 1;
    const id = lastId;
    observed = null;
    let grace: NodeJS.Timeout | undefined;
    const onAbort = () => {
      thread.tell({ is: 'abort', id });
      grace = setTimeout(() => thread.end('took too long'), graceMs).unref();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    thread.busy(true);
    try {
      return await new Promise((resolve, reject) => {
        waiting.set(id, (answer) => ('outcome' in answer ? resolve(answer.outcome) : reject(answer.failure)));
        thread.tell({ is: 'collect', id, root });
      });
    } finally {
      waiting.delete(id);
      thread.busy(false);
      clearTimeout(grace);
      signal.removeEventListener('abort', onAbort);
    }
  }

  async function leave(reason: string): Promise<void> {
    const thread = current?.thread;
    current = null;
    thread?.end(reason);
    await thread?.ended;
  }

  const { declaration, problems, warnings, files } = await load();
  const source: PluginSource = {
    async prepare(stop) {
      if (!current) await load(stop);
    },
    collect,
    observed: () => observed,
    rest(ms) {
      if (ms >= endBeforeMs && !isCaching) void leave('is not due for long');
    },
    close: () => leave('is not wanted any more'),
  };
  return { declaration, problems, warnings, files, source };
}
