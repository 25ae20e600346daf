/** messages: what the agent and the thread of a plugin say to one another; all of it plain data. */
import type { MessagePort } from 'node:worker_threads';
import type { PluginDeclaration } from '../../plugins/plugin.ts';
import type { Problem } from '../problem.ts';
import type { Observed } from './observe-thread.ts';

/** What a thread is started with. */
export type PluginTask = {
  /** As the config names it. */
  use: string;
  /** Where relative files and packages are looked up. */
  folder: string;
  options: Record<string, unknown>;
  /** Where the config holds the options. */
  optionsPath: readonly string[];
  /** Not the thread's `parentPort`, which the plugin could take for its own. */
  port: MessagePort;
  /** Whether it tells what a collection did. */
  observe: boolean;
};

export type ToPlugin = { is: 'collect'; id: number; root: string } | { is: 'abort'; id: number };

export type FromPlugin =
  /** The kernel's number of the thread. */
  | { is: 'started'; threadId: number | null }
  /** `files` are those that it was loaded from, absolute. */
  | { is: 'loaded'; files: string[]; declaration: PluginDeclaration; problems: Problem[]; warnings: string[] }
  | { is: 'failed'; error: string }
  /** `outcome` is JSON, so that its size is known; `cached` counts what the plugin keeps. */
  | { is: 'collected'; id: number; outcome: string; cached: number; observed: Observed | null }
  /** Of nobody who waits for it: a rejection that nobody handles, an error in a timer. */
  | { is: 'stray'; error: string };
