import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    exclude: ['node_modules/**', 'dist/**', 'data/**'],
    // End-to-end tests start real processes; a slow machine must not fail them.
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
