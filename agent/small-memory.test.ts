import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { hostWith } from '../test/support/agent-host.ts';
import { startAgent } from '../test/support/agent-process.ts';
import { startStubApi } from '../test/support/stub-api.ts';

const isLinux = process.platform === 'linux';

/** What a daemon has in its environment about the C library, once it has submitted a report. */
async function heapSettings(env: Record<string, string> = {}): Promise<string[]> {
  const api = await startStubApi();
  const cwd = await hostWith({ api: { url: api.url }, plugins: ['os'] });
  const { child, waitFor, exit } = startAgent(['run', '--config', 'agent.config.json'], {
    ...{ cwd, env, nodeArgs: ['--no-deprecation'] },
  });
  await waitFor(/report submitted/);
  const [variables, words] = await Promise.all(
    ['environ', 'cmdline'].map(async (name) => {
      return (await readFile(`/proc/${child.pid}/${name}`, 'utf8')).split('\0');
    }),
  );
  // As it was started, its options and Node's too.
  expect(words?.slice(1, -1)).toEqual([
    ...['--no-deprecation', expect.stringContaining('agent/main.ts')],
    ...['run', '--config', 'agent.config.json'],
  ]);
  child.kill('SIGTERM');
  expect(await exit).toMatchObject({ code: 0, stderr: '' });
  return variables?.filter((text) => text.startsWith('MALLOC_')) ?? [];
}

test.runIf(isLinux)('the daemon has the C library keep little, however it was started', async () => {
  const settings = ['MALLOC_ARENA_MAX=1', 'MALLOC_MMAP_THRESHOLD_=32768', 'MALLOC_TRIM_THRESHOLD_=65536'];
  expect((await heapSettings()).sort()).toEqual(settings);
});

test.runIf(isLinux)('settings of the operator stay', async () => {
  const threshold = { MALLOC_TRIM_THRESHOLD_: '131072' };
  expect(await heapSettings(threshold)).toContain('MALLOC_TRIM_THRESHOLD_=131072');
  const arenas = { MALLOC_ARENA_MAX: '4' };
  expect(await heapSettings(arenas)).toEqual(['MALLOC_ARENA_MAX=4']);
});
