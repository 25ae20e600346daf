import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const packaging = 'test/packaging/packages.test.ts';

export default defineConfig({
  // The entry that Node itself picks: with the bundler's there would be two copies of graphql in one process.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    exclude: ['node_modules/**', 'dist/**', 'data/**'],
    // Where there are two processors vitest would take one: a quarter of the time here is spent waiting.
    maxWorkers: Math.max(3, availableParallelism() - 1),
    // End-to-end tests start real processes; a slow machine must not fail them.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'sources',
          include: ['**/*.test.ts'],
          exclude: [packaging],
          sequence: { groupOrder: 0 },
        },
      },
      // After all others: it installs into this very machine, where an agent without a config finds that one.
      { extends: true, test: { name: 'packages', include: [packaging], sequence: { groupOrder: 1 } } },
    ],
  },
});
