import { defineConfig } from 'vitest/config';

export default defineConfig({
  // The entry that Node itself picks: with the bundler's there would be two copies of graphql in one process.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    include: ['**/*.test.ts'],
    exclude: ['node_modules/**', 'dist/**', 'data/**'],
    // End-to-end tests start real processes; a slow machine must not fail them.
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
