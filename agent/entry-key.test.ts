import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import type { PluginEntry } from './config.ts';
import { entryKey, secretFiles } from './entry-key.ts';

const entry = (more: Partial<PluginEntry> = {}): PluginEntry => ({
  ...{ use: './rack.ts', name: null, timeoutMs: 1, intervalMs: null, memoryBytes: null },
  ...{ options: {}, path: ['plugins', '0'] },
  ...more,
});

test('an entry is the same wherever and however often, and another with any other setting', async () => {
  const folder = await temporaryFolder({ 'rack.ts': '' });
  const key = await entryKey(entry(), folder, false);
  expect(await entryKey(entry({ path: ['plugins', '3', 'use'] }), folder, false)).toBe(key);
  expect(await entryKey(entry({ timeoutMs: 2, intervalMs: 2 }), folder, false)).toBe(key);
  const others = [{ name: 'a' }, { memoryBytes: 2 }, { options: { row: 1 } }, { use: './a.ts' }];
  const keys = await Promise.all(others.map((other) => entryKey(entry(other), folder, false)));
  expect(new Set([key, ...keys]).size).toBe(others.length + 1);
});

test('a plugin whose file or secret is another is another', async () => {
  const folder = await temporaryFolder({ 'rack.ts': 'a', token: 'a' });
  const options = { deep: [{ password: { file: join(folder, 'token') } }] };
  const keys = [await entryKey(entry({ options }), folder, false)];
  await writeFile(join(folder, 'token'), 'b');
  keys.push(await entryKey(entry({ options }), folder, false));
  await utimes(join(folder, 'rack.ts'), 1, 1);
  keys.push(await entryKey(entry({ options }), folder, false));
  expect(new Set(keys).size).toBe(3);
  expect(keys.join()).not.toContain('token');
});

test('files of secrets are found wherever they are, and nothing else is taken for one', () => {
  const options = {
    a: { file: '/a' },
    b: [{ c: { file: '/b' } }],
    d: { file: 'c' },
    e: { file: '/d', mode: 1 },
  };
  expect(secretFiles(options)).toEqual(['/a', '/b']);
  expect(secretFiles({ file: '/a' })).toEqual(['/a']);
  for (const none of [null, 'x', 7, { env: 'A' }]) expect(secretFiles(none)).toEqual([]);
});
