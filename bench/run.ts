/**
 * run: `npm run bench -- [names…] [flags]`: the named benchmarks, or all, each beside its peer, limit or aim.
 *
 * Flags go to each that is named, and are those of its file's `defaults`.
 */
import { endAll } from '../test/support/cleanup.ts';
import { runBenchmark, UsageError } from './benchmark.ts';

const benchmarks = [
  'collect',
  'submit',
  'latency',
  'segments',
  'index',
  'queries',
  'live',
  'export',
] as const;

await runBenchmark(async (args) => {
  const firstFlag = args.findIndex((arg) => arg.startsWith('-'));
  const names = firstFlag === -1 ? args : args.slice(0, firstFlag);
  const flags = args.slice(names.length);
  const unknown = names.filter((name) => !benchmarks.some((known) => known === name));
  if (unknown.length > 0 || (flags.length > 0 && names.length === 0)) {
    throw new UsageError(`usage: npm run bench -- [${benchmarks.join(' | ')}]… [flags of those]`);
  }
  for (const name of names.length > 0 ? names : benchmarks) {
    const { main } = await import(`./${name}.ts`);
    await main(flags);
    // What one started would run beside the next.
    await endAll();
  }
});
