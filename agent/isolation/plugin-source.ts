/**
 * plugin-source: where a plugin's code runs, as whoever collects sees it.
 *
 * What comes with os-inspector runs in the agent's own thread (here); what a user adds runs in a thread of
 * its own (`worker-source`).
 */
import type { AnyPlugin } from '../../plugins/plugin.ts';
import { type Outcome, toOutcome, type Undeclared } from '../outcome.ts';
import type { Observed, ThreadObserver } from './observe-thread.ts';

export type PluginSource = {
  /** Makes it ready to collect, where that takes time: time that is not the plugin's own. */
  prepare?(stop: AbortSignal): Promise<void>;
  /**
   * Settles when the plugin has done, heeded the signal or was ended: not before.
   *
   * @throws whatever the plugin throws
   */
  collect(signal: AbortSignal, root: string): Promise<Outcome>;
  /** Told after a collection that the next is so many milliseconds away. */
  rest?(ms: number): void;
  /** What the last collection did; null when nobody looked, or it was cut short. */
  observed?(): Observed | null;
  /** Gives up what it holds; it is not asked again. */
  close?(): Promise<void>;
};

export type ThisThreadOptions = { undeclared?: Undeclared | undefined; observer?: ThreadObserver | null };

/** Runs it in this thread, where only its own signal can end it. */
export function inThisThread(
  plugin: AnyPlugin,
  options: unknown,
  { undeclared, observer = null }: ThisThreadOptions = {},
): PluginSource {
  const cache = new Map<string, unknown>();
  let last: { collected: unknown; outcome: Outcome } | null = null;
  return {
    observed: () => observer?.take() ?? null,
    async collect(signal, root) {
      // What was done until now is not the plugin's.
      observer?.take();
      const collected = await plugin.collect({ signal, options, root, cache });
      // None of these plugins changes what it has returned, and checking thousands of packages takes milliseconds.
      if (last !== null && last.collected === collected) return last.outcome;
      const outcome = toOutcome(plugin, collected, undeclared);
      last = { collected, outcome };
      return outcome;
    },
  };
}
