import { expect, test } from 'vitest';
import { deniedPaths } from './plugin-checks.ts';

test('refused paths of one kind are one, and many kinds are cut short', () => {
  expect(deniedPaths(['/proc/12/fd', '/proc/345/fd', '/etc/shadow'])).toEqual([
    '/proc/*/fd (2 times)',
    '/etc/shadow',
  ]);
  expect(deniedPaths(['/a', '/b', '/c', '/d', '/e', '/f'])).toEqual(['/a', '/b', '/c', '/d', '2 more']);
});
