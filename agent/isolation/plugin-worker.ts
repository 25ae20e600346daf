/**
 * plugin-worker: the thread of one plugin that a user wrote: loads it, has it check its options, collects.
 *
 * Everything that the plugin's code touches happens here, so that whatever it does costs this thread alone.
 * Facts are checked here as well: what leaves is JSON of declared facts, however odd what `collect` returned.
 */
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { workerData } from 'node:worker_threads';
import { loadPlugin } from '../../plugins/load.ts';
import type { AnyPlugin, PluginDeclaration } from '../../plugins/plugin.ts';
import { checkOptions } from '../check-options.ts';
import { errorText } from '../error-text.ts';
import { type Outcome, toOutcome, without } from '../outcome.ts';
import { ownThreadId } from './child-processes.ts';
import type { FromPlugin, PluginTask, ToPlugin } from './messages.ts';
import { observeThread } from './observe-thread.ts';

/** Half of what the API takes as one report, in characters of JSON. */
const maxOutcomeLength = 8 * 1024 * 1024;
/** From one collection to the next; a timer that throws for ever must not fill the log. */
const maxStrays = 5;
const maxStrayLength = 4_000;

const { use, folder, options: given, optionsPath, port, observe } = workerData as PluginTask;
const observer = observe ? observeThread() : null;
const running = new Map<number, AbortController>();
const cache = new Map<string, unknown>();
let strays = 0;

/** Goes after what was printed until now: the agent may end as soon as it has this. */
async function tell(message: FromPlugin): Promise<void> {
  await Promise.all([process.stdout, process.stderr].map(taken));
  port.postMessage(message);
}

async function taken(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength > 0) await new Promise((resolve) => stream.write('', resolve));
}

process.on('uncaughtException', (error) => {
  strays += 1;
  if (strays > maxStrays) return;
  tell({ is: 'stray', error: String(error?.stack ?? errorText(error)).slice(0, maxStrayLength) });
});

tell({ is: 'started', threadId: ownThreadId() });
const loading = load();
// Listening keeps the thread alive, also while its module awaits what never comes.
port.on('message', (message: ToPlugin) => {
  if (message.is === 'abort') running.get(message.id)?.abort(new Error('the time is up'));
  else collect(message.id, message.root);
});

type Ready = { plugin: AnyPlugin; options: unknown };

/** Null when it cannot be loaded; then nothing is asked of it. */
async function load(): Promise<Ready | null> {
  try {
    const { files, loaded: plugin } = await withFiles(() => loadPlugin(use, folder));
    const { options, ...found } = await checkOptions(plugin, given, optionsPath);
    tell({ is: 'loaded', files, declaration: declarationOf(plugin), ...found });
    return { plugin, options };
  } catch (error) {
    tell({ is: 'failed', error: errorText(error) });
    return null;
  }
}

/** What `load` returns, and the files of all modules that were loaded meanwhile. */
async function withFiles<T>(load: () => Promise<T>): Promise<{ files: string[]; loaded: T }> {
  const files = new Set<string>();
  const hooks = registerHooks({
    load(url, context, next) {
      const { protocol } = new URL(url);
      if (protocol === 'file:') files.add(fileURLToPath(url));
      return next(url, context);
    },
  });
  try {
    const loaded = await load();
    return { files: [...files], loaded };
  } finally {
    hooks.deregister();
  }
}

async function collect(id: number, root: string): Promise<void> {
  const ready = await loading;
  if (!ready) return;
  const { plugin, options } = ready;
  strays = 0;
  const controller = new AbortController();
  // What loading did is not the collection's.
  observer?.take();
  running.set(id, controller);
  let outcome: Outcome;
  try {
    const collected = await plugin.collect({ signal: controller.signal, options, root, cache });
    outcome = toOutcome(plugin, collected);
  } catch (error) {
    outcome = without('ERROR', errorText(error));
  }
  running.delete(id);
  tell({
    is: 'collected',
    id,
    outcome: bounded(outcome),
    cached: cache.size,
    observed: observer?.take() ?? null,
  });
}

function bounded(outcome: Outcome): string {
  const text = JSON.stringify(outcome);
  if (text.length <= maxOutcomeLength) return text;
  const [size, most] = [text.length, maxOutcomeLength].map(
    (length) => `${(length / 2 ** 20).toFixed(1)} MiB`,
  );
  const error = `collected too much: ${size} as JSON, and at most ${most} can be reported`;
  return JSON.stringify(without('ERROR', error));
}

/** As plain data: what of a declaration is code stays here. */
function declarationOf({ options, collect, ...declaration }: AnyPlugin): PluginDeclaration {
  return JSON.parse(JSON.stringify(declaration));
}
