/** `npm run fuzz`: the properties of `test/fuzz` with many new cases. It names its seed, by which they can be had again. */
import { mergeConfig } from 'vitest/config';
import config from './vitest.config.ts';

const { FUZZ_CASES = '100000', SEED = String(Date.now() % 2 ** 31) } = process.env;

export default mergeConfig(config, {
  test: {
    dir: 'test/fuzz',
    env: { FUZZ_CASES, SEED },
    testTimeout: 60 * 60_000,
  },
});
