import { expect, test } from 'vitest';
import { count, definePlugin } from '../../plugins/plugin.ts';
import { inThisThread } from './plugin-source.ts';

test('what is the very object that was checked before is not checked again; anything else is', async () => {
  const answers: unknown[] = [{ row: 7 }, { row: 'seven' }];
  const plugin = definePlugin({
    name: 'rack',
    version: 1,
    description: 'Where it stands',
    facts: { row: count('Row') },
    collect: async () => answers[0] as { row: number },
  });
  const { collect } = inThisThread(plugin, {});
  const { signal } = new AbortController();
  const first = await collect(signal, '/');
  expect(first).toMatchObject({ status: 'OK', facts: { row: 7 } });
  expect(await collect(signal, '/')).toBe(first);
  answers.shift();
  expect(await collect(signal, '/')).toMatchObject({ status: 'ERROR' });
  answers[0] = { row: 7 };
  expect(await collect(signal, '/')).toEqual(first);
});
