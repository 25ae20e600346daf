/** run: `npm run bench -- [names…] [flags]`: the named benchmarks, or all, each beside its peer, limit or aim. */
import { runNamed } from './benchmark.ts';

await runNamed('bench', {
  collect: () => import('./collect.ts'),
  submit: () => import('./submit.ts'),
  latency: () => import('./latency.ts'),
  segments: () => import('./segments.ts'),
  index: () => import('./index.ts'),
  packages: () => import('./packages.ts'),
  queries: () => import('./queries.ts'),
  live: () => import('./live.ts'),
  export: () => import('./export.ts'),
  overload: () => import('./overload.ts'),
});
