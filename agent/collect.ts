/**
 * collect: runs the configured plugins side by side; none can hold up, break or end another.
 *
 * Whatever a plugin does costs only its own result: it may throw anything, never return, ignore its
 * signal or return facts that it did not declare. A plugin that a user added may also loop for ever, take all memory or
 * end its process, as it has a thread of its own (see `isolation/`). Of those that come with os-inspector, which
 * share the agent's thread, an endless loop would stop the agent.
 *
 * In the daemon a plugin whose interval is not over, or that keeps failing, is not asked (see `schedule/turns`).
 */
import { formatDuration } from '../plugins/duration.ts';
import type { ConfiguredPlugin } from './configured-plugins.ts';
import { DeadlineError, withDeadline } from './deadline.ts';
import { errorText } from './error-text.ts';
import { type Outcome, without } from './outcome.ts';
import type { PluginResult } from './report.ts';
import type { Moment } from './schedule/grid.ts';
import { createTurns, type Turns } from './schedule/turns.ts';

export type Collector = {
  /**
   * One result for each plugin, in config order.
   *
   * @throws the reason of `stop` once that is aborted, without waiting for any plugin
   */
  collect(stop: AbortSignal): Promise<PluginResult[]>;
  /** Milliseconds until a report asks the plugin of this name; 0 when the next one does. */
  dueInMs(plugin: string): number;
  /**
   * Collects by these from now on: to be called between two collections. Those that were there before keep what
   * they know, and their turns as long as their interval and that of the reports are the same.
   */
  replace(plugins: readonly ConfiguredPlugin[], pace?: Pace): void;
};

/** Settings of the host rather than of a plugin. */
export type CollectOptions = {
  /** Where the host's file system begins. */
  root: string;
  platform: NodeJS.Platform;
  /** Of the daemon; absent asks every plugin each time. */
  pace?: Pace;
};

/** What decides whose turn it is. */
export type Pace = {
  hostId: string;
  /** From one report to the next. */
  intervalMs: number;
  moment(): Moment;
};

/** Keeps what outlives one collection: when each plugin is due, and which have not come back. */
export function createCollector(plugins: readonly ConfiguredPlugin[], options: CollectOptions): Collector {
  let runners = new Map(plugins.map((plugin) => [plugin.source, createRunner(plugin, options)]));
  return {
    dueInMs: (name) => [...runners.values()].find(({ plugin }) => plugin === name)?.dueInMs() ?? 0,
    collect: (stop) => Promise.all([...runners.values()].map(({ run }) => run(stop))),
    replace(plugins, pace) {
      const kept = runners;
      runners = new Map(
        plugins.map((plugin) => {
          const runner = kept.get(plugin.source) ?? createRunner(plugin, { ...options, pace });
          runner.change(plugin, pace);
          return [plugin.source, runner];
        }),
      );
    },
  };
}

function createRunner(first: ConfiguredPlugin, { root, platform, pace: firstPace }: CollectOptions) {
  const { plugin, source } = first;
  let configured = first;
  let pace = firstPace;
  let turns = pace ? turnsOf(configured, pace) : null;
  let running = false;

  /** Whatever `collect` throws, also at once and before it returns a promise, is a rejection here. */
  async function start(signal: AbortSignal): Promise<Outcome> {
    running = true;
    try {
      return await source.collect(signal, root);
    } finally {
      running = false;
    }
  }

  async function attempt(stop: AbortSignal): Promise<Outcome> {
    // A second one on top of one that hangs would hang as well, and they would pile up.
    if (running) return without('TIMEOUT', 'the previous collection has not ended');
    const { timeoutMs } = configured;
    try {
      await source.prepare?.(stop);
      return await withDeadline(timeoutMs, stop, start);
    } catch (error) {
      stop.throwIfAborted();
      if (!(error instanceof DeadlineError)) return without('ERROR', errorText(error));
      return without('TIMEOUT', `took longer than ${formatDuration(timeoutMs)}`);
    }
  }

  function toResult({ status, facts, readings, error }: Outcome, durationMs: number | null): PluginResult {
    return { plugin: plugin.name, version: plugin.version, status, durationMs, facts, readings, error };
  }

  async function run(stop: AbortSignal): Promise<PluginResult> {
    stop.throwIfAborted();
    if (plugin.platforms && !plugin.platforms.includes(platform)) return toResult(without('SKIPPED'), null);
    const moment = pace?.moment();
    const instead = moment && turns?.insteadOf(moment);
    if (instead) return toResult(instead, null);
    const startedAt = performance.now();
    const outcome = await attempt(stop);
    const durationMs = Math.round((performance.now() - startedAt) * 1_000) / 1_000;
    if (moment) turns?.take(outcome, moment);
    if (pace && turns) source.rest?.(turns.idleMs(pace.moment()));
    return toResult(outcome, durationMs);
  }

  return {
    plugin: plugin.name,
    run,
    dueInMs: () => (pace && turns ? turns.dueInMs(pace.moment()) : 0),
    change(next: ConfiguredPlugin, nextPace: Pace | undefined) {
      const isAsOften =
        next.intervalMs === configured.intervalMs && nextPace?.intervalMs === pace?.intervalMs;
      if (nextPace && !isAsOften) turns = turnsOf(next, nextPace);
      configured = next;
      pace = nextPace;
    },
  };
}

function turnsOf({ plugin, intervalMs }: ConfiguredPlugin, pace: Pace): Turns {
  const key = `${pace.hostId} ${plugin.name}`;
  return createTurns({ key, intervalMs, reportIntervalMs: pace.intervalMs });
}
