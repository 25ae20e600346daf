/** run: `npm run bench:agent -- [names…] [flags]`: what the agent costs, each figure beside a peer or an aim. */
import { runNamed } from '../benchmark.ts';

await runNamed('bench:agent', {
  collect: () => import('../collect.ts'),
  once: () => import('./once.ts'),
  daemon: () => import('./daemon.ts'),
  soak: () => import('./soak.ts'),
});
