import { expect, test } from 'vitest';
import { parseByteSize } from './byte-size.ts';

test.each([
  ['64MiB', 67_108_864],
  ['1.5kB', 1_500],
  ['0B', 0],
  ['2GiB', 2_147_483_648],
  [4096, 4_096],
  ['64', null],
  ['64 MiB', null],
  ['64mb', null],
  ['-1kB', null],
  [-1, null],
  [Number.NaN, null],
])('%s', (value, bytes) => {
  expect(parseByteSize(value)).toBe(bytes);
});
