/**
 * plugin-source: where a plugin's code runs, as whoever collects sees it.
 *
 * What comes with os-inspector runs in the agent's own thread (here); what a user adds runs in a thread of
 * its own (`worker-source`).
 */
import type { AnyPlugin } from '../../plugins/plugin.ts';
import { type Outcome, toOutcome } from '../outcome.ts';

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
  /** Gives up what it holds; it is not asked again. */
  close?(): Promise<void>;
};

/** Runs it in this thread, where only its own signal can end it. */
export function inThisThread(plugin: AnyPlugin, options: unknown): PluginSource {
  const cache = new Map<string, unknown>();
  return {
    async collect(signal, root) {
      return toOutcome(plugin, await plugin.collect({ signal, options, root, cache }));
    },
  };
}
