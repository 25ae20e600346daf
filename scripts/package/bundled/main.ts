/** main: the one file of a bundled agent, which is the agent itself and the thread of each plugin of the user. */
import { isMainThread } from 'node:worker_threads';

await (isMainThread ? import('../../../agent/main.ts') : import('../../../agent/isolation/plugin-worker.ts'));
