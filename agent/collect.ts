/**
 * collect: runs the configured plugins side by side; none can hold up, break or end another.
 *
 * Whatever a plugin does costs only its own result: it may throw anything, never return, ignore its
 * signal or return facts that it did not declare. What no signal can end is JavaScript that never
 * yields, such as an endless loop: it stops the whole agent, as plugins share its one thread.
 */
import { checkFacts } from '../plugins/check-facts.ts';
import { didYouMean } from '../plugins/did-you-mean.ts';
import { formatDuration } from '../plugins/duration.ts';
import type { AnyPlugin } from '../plugins/plugin.ts';
import type { ConfiguredPlugin } from './configured-plugins.ts';
import { DeadlineError, withDeadline } from './deadline.ts';
import { errorText } from './error-text.ts';
import type { PluginResult } from './report.ts';

export type Collector = {
  /**
   * One result for each plugin, in config order.
   *
   * @throws the reason of `stop` once that is aborted, without waiting for any plugin
   */
  collect(stop: AbortSignal): Promise<PluginResult[]>;
};

/** Settings of the host rather than of a plugin. */
export type CollectOptions = {
  /** Where the host's file system begins. */
  root: string;
  platform: NodeJS.Platform;
};

/** Keeps what outlives one collection: each plugin's cache, and which have not come back. */
export function createCollector(plugins: readonly ConfiguredPlugin[], options: CollectOptions): Collector {
  const runners = plugins.map((plugin) => createRunner(plugin, options));
  return { collect: (stop) => Promise.all(runners.map((run) => run(stop))) };
}

type Outcome = Pick<PluginResult, 'status' | 'facts' | 'readings' | 'error'>;

function createRunner({ plugin, timeoutMs, options }: ConfiguredPlugin, { root, platform }: CollectOptions) {
  const cache = new Map<string, unknown>();
  let running = false;

  /** Whatever `collect` throws, also at once and before it returns a promise, is a rejection here. */
  async function start(signal: AbortSignal): Promise<unknown> {
    running = true;
    try {
      return await plugin.collect({ signal, options, root, cache });
    } finally {
      running = false;
    }
  }

  async function attempt(stop: AbortSignal): Promise<Outcome> {
    if (plugin.platforms && !plugin.platforms.includes(platform)) return without('SKIPPED');
    // A second one on top of one that hangs would hang as well, and they would pile up.
    if (running) return without('TIMEOUT', 'the previous collection has not ended');
    try {
      return toOutcome(plugin, await withDeadline(timeoutMs, stop, start));
    } catch (error) {
      stop.throwIfAborted();
      if (!(error instanceof DeadlineError)) return without('ERROR', errorText(error));
      return without('TIMEOUT', `took longer than ${formatDuration(timeoutMs)}`);
    }
  }

  return async (stop: AbortSignal): Promise<PluginResult> => {
    stop.throwIfAborted();
    const startedAt = performance.now();
    const outcome = await attempt(stop);
    const durationMs = Math.round((performance.now() - startedAt) * 1_000) / 1_000;
    const { status, facts, readings, error } = outcome;
    return { plugin: plugin.name, version: plugin.version, status, durationMs, facts, readings, error };
  };
}

/** Holds what a plugin returned against what it declares, and parts facts from readings. */
function toOutcome(plugin: AnyPlugin, collected: unknown): Outcome {
  if (collected === null) return without('SKIPPED');
  const declared = { ...plugin.facts, ...plugin.readings };
  const { values, problems, undeclared } = checkFacts(declared, collected);
  const complaints = [
    ...problems.map(({ path, message }) => `${path || 'what collect returned'}: ${message}`),
    ...undeclared.map((name) => {
      const hint = didYouMean(name, Object.keys(declared)) ?? 'declare it in facts or readings';
      return `${name}: is not declared, ${hint}`;
    }),
  ];
  if (complaints.length > 0) return without('ERROR', errorText(`wrong facts: ${complaints.join('; ')}`));
  const pick = (names: object) => Object.fromEntries(Object.keys(names).map((name) => [name, values[name]]));
  const readings = plugin.readings ? pick(plugin.readings) : null;
  return { status: 'OK', facts: pick(plugin.facts), readings, error: null };
}

function without(status: PluginResult['status'], error: string | null = null): Outcome {
  return { status, facts: null, readings: null, error };
}
