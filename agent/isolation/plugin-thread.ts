/**
 * plugin-thread: starts the thread of one plugin, watches over its memory, and says why it ended.
 *
 * V8's own limit alone will not do: when one allocation goes far beyond it, as that of a growing Map, V8
 * ends the whole process. So the thread is asked what it holds, also while it never yields, and V8's limit lies so
 * far above that it is hardly ever reached.
 */
import { MessageChannel } from 'node:worker_threads';
import { errorText } from '../error-text.ts';
import { killProgramsOf } from './child-processes.ts';
import type { FromPlugin, PluginTask, ToPlugin } from './messages.ts';
import { startWorker } from './worker-entry.ts';

export type PluginThread = {
  tell(message: ToPlugin): void;
  /** Somebody waits for it: keeps the process alive, and has its memory looked at often. */
  busy(isBusy: boolean): void;
  /** Ends it, whatever it does. Only the first reason counts. */
  end(reason: string): void;
  /** Resolves, to why, once it is gone. */
  ended: Promise<string>;
};

export type ThreadOptions = {
  memoryBytes: number;
  onMessage(message: Exclude<FromPlugin, { is: 'started' }>): void;
};

/** Seldom when idle, where only a timer of the plugin's can take memory. */
const lookEveryMs = { busy: 50, idle: 5_000 };
/** Above the plugin's limit: more than can be allocated between two looks, but by a single call. */
const headroomMiB = 1_024;
/** For a thread to notice that its programs have ended; one that loops does not, and they stay as zombies. */
const takeOffMs = 100;
/** Small, as most plugins make little garbage, and each thread would have 48 MiB. */
const youngGenerationMiB = 8;

/** What kills the programs of each thread. The process waits for its threads before it ends, and these for theirs. */
const living = new Set<() => unknown>();
process.on('exit', () => {
  for (const killPrograms of living) killPrograms();
});

export function startPluginThread(task: Omit<PluginTask, 'port'>, options: ThreadOptions): PluginThread {
  const { memoryBytes, onMessage } = options;
  const { port1, port2 } = new MessageChannel();
  const worker = startWorker({
    // What `top -H` shows.
    name: task.use,
    workerData: { ...task, port: port2 } satisfies PluginTask,
    transferList: [port2],
    resourceLimits: {
      maxOldGenerationSizeMb: Math.ceil(memoryBytes / 2 ** 20) + headroomMiB,
      maxYoungGenerationSizeMb: youngGenerationMiB,
    },
    stdout: true,
    stderr: true,
  });
  let reason: string | null = null;
  let isGone = false;
  const tooMuch = `took more than ${memoryBytes / 2 ** 20} MiB of memory: raise its "memory" in the config if it needs more`;

  // Standard output is for what the agent itself says.
  for (const stream of [worker.stdout, worker.stderr]) {
    stream.on('data', (chunk) => process.stderr.write(chunk));
  }
  let threadId: number | null = null;
  const killPrograms = () => (threadId === null || isGone ? 0 : killProgramsOf(threadId));
  living.add(killPrograms);
  port1.on('message', (message: FromPlugin) => {
    if (message.is === 'started') threadId = message.threadId;
    else onMessage(message);
  });
  port1.unref();
  worker.unref();
  worker.on('error', (error: NodeJS.ErrnoException) => {
    reason ??= error?.code === 'ERR_WORKER_OUT_OF_MEMORY' ? tooMuch : `broke down: ${errorText(error)}`;
  });
  const ended = new Promise<string>((resolve) => {
    worker.on('exit', (code) => {
      isGone = true;
      living.delete(killPrograms);
      clearInterval(watch);
      port1.close();
      resolve(reason ?? `called process.exit(${code})`);
    });
  });
  const end = (why: string) => {
    reason ??= why;
    // Only the thread that started a program can take it off the list of the kernel.
    if (killPrograms() > 0) setTimeout(() => worker.terminate(), takeOffMs);
    else worker.terminate();
  };

  let isAsked = false;
  async function look(): Promise<void> {
    // One that is inside a single long call answers only after it.
    if (isAsked) return;
    isAsked = true;
    const held = await worker.getHeapStatistics().catch(() => null);
    isAsked = false;
    if (held && held.used_heap_size + held.external_memory > memoryBytes) end(tooMuch);
  }
  let watch = setInterval(look, lookEveryMs.idle).unref();

  return {
    tell: (message) => port1.postMessage(message),
    busy(isBusy) {
      if (isGone) return;
      void look();
      clearInterval(watch);
      watch = setInterval(look, lookEveryMs[isBusy ? 'busy' : 'idle']).unref();
      if (isBusy) worker.ref();
      else worker.unref();
    },
    end,
    ended,
  };
}
