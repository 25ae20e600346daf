import { spawnSync } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../test/support/eventually.ts';
import { describeIf } from '../test/support/needs.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import { execOptions, execPlugin } from './exec.ts';
import { parseOutput } from './sources/command-output.ts';

const running = new AbortController().signal;

type Given = { script: string; args?: string[]; signal?: AbortSignal; root?: string; options?: object };

/** What a plugin collects whose command is such a script, and the folder it runs in. */
async function collect(
  { script, args = [], signal = running, root = '/', options = {} }: Given,
  folder?: string,
) {
  const where = folder ?? (await temporaryFolder());
  await writeFile(join(where, 'run.sh'), script);
  await chmod(join(where, 'run.sh'), 0o755);
  const checked = execOptions.parse({ command: ['./run.sh', ...args], ...options });
  const plugin = execPlugin('probe', checked, where);
  return plugin.collect({ signal, root, options: undefined, cache: new Map() });
}

const sh = (...lines: string[]) => ['#!/bin/sh', ...lines, ''].join('\n');

/** Whether a process goes on: one that was killed and not waited for yet does not. */
const lives = (pid: string) =>
  /^\S+ \S+ [^ZX]/.test(spawnSync('cat', [`/proc/${pid}/stat`]).stdout.toString());

describeIf(process.platform === 'linux', 'shell scripts and /proc', 'a command', () => {
  test('is given its arguments as they are, without a shell', async () => {
    const script = sh(`printf '{"arguments": ["%s", "%s"]}' "$1" "$2"`);
    expect(await collect({ script, args: ['a b;$HOME', '*'] })).toEqual({ arguments: ['a b;$HOME', '*'] });
  });

  test('runs in the folder of the config, or the one it names', async () => {
    const script = sh(`printf '{"folder": "%s"}' "$(pwd -P)"`);
    const folder = await temporaryFolder({ 'inner/x': '' });
    expect(await collect({ script }, folder)).toEqual({ folder });
    expect(await collect({ script, options: { cwd: 'inner' } }, folder)).toEqual({
      folder: join(folder, 'inner'),
    });
  });

  test('gets few variables of the agent: no token, no secret', async () => {
    const script = sh(
      `printf '{"all": "%s", "row": "%s", "root": "%s"}' "$(env | cut -d= -f1 | sort | tr '\\n' ' ')" "$ROW" "$HOST_ROOT"`,
    );
    process.env.OS_INSPECTOR_TOKEN = 'secret';
    try {
      const told = await collect({ script, root: '/host', options: { env: { ROW: '7' } } });
      expect(told).toMatchObject({ row: '7', root: '/host' });
      expect(told?.all).not.toContain('TOKEN');
      expect(told?.all).toContain('PATH');
    } finally {
      delete process.env.OS_INSPECTOR_TOKEN;
    }
  });

  test('is found by PATH when it is no file', async () => {
    const options = execOptions.parse({ command: ['echo', '{"a": 1}'] });
    const plugin = execPlugin('probe', options, '/');
    expect(await plugin.collect({ signal: running, root: '/', options: {}, cache: new Map() })).toEqual({
      a: 1,
    });
  });

  test('that nobody finds says so', async () => {
    const plugin = execPlugin('probe', execOptions.parse({ command: ['no-such-program-anywhere'] }), '/');
    const collected = plugin.collect({ signal: running, root: '/', options: {}, cache: new Map() });
    await expect(collected).rejects.toThrow('cannot run no-such-program-anywhere: there is no such program');
  });

  test('that prints null has nothing to report', async () => {
    expect(await collect({ script: sh('echo null') })).toBeNull();
  });

  test.each([
    [
      'fails',
      sh('echo "{}"', 'echo >&2', 'echo "no right to ask IPMI" >&2', 'exit 3'),
      /run\.sh failed with exit code 3: no right to ask IPMI$/,
    ],
    ['fails without a word', sh('exit 1'), /run\.sh failed with exit code 1$/],
    ['is killed', sh('kill -TERM $$'), /run\.sh was ended by SIGTERM$/],
    ['prints nothing', sh('true'), 'it printed nothing: print a JSON object, or null'],
    ['prints words', sh('echo row 7'), 'what it printed is not JSON: '],
    ['prints a list', sh('echo "[1]"'), 'it printed a list: print a JSON object that maps names to values'],
    ['prints without end', sh('exec yes'), 'printed more than 1048576 bytes'],
    [
      'has no interpreter',
      '#!/not/there\n',
      'there is no such program, or the one that its first line names',
    ],
  ])('that %s is an error that says so', async (_what, script, message) => {
    await expect(collect({ script })).rejects.toThrow(message);
  });

  test('is ended with all that it started when its time is up', async () => {
    const folder = await temporaryFolder();
    const stop = new AbortController();
    // The second ignores every signal that can be ignored, and both hold the output open.
    const script = sh(
      'sleep 1000 &',
      'echo $! > one',
      `sh -c 'trap "" TERM HUP INT; echo $$ > two; sleep 1000; true' &`,
      'echo $$ > self',
      'wait',
    );
    const hangs = collect({ script, signal: stop.signal }, folder);
    const pids = await eventually('all of them run', async () => {
      const read = await Promise.all(
        ['one', 'two', 'self'].map((name) => readFile(join(folder, name), 'utf8').catch(() => '')),
      );
      return read.every((pid) => pid.endsWith('\n')) && read.map((pid) => pid.trim());
    });
    expect(pids.map(lives)).toEqual([true, true, true]);
    stop.abort(new Error('out of time'));
    await expect(hangs).rejects.toThrow('out of time');
    await eventually('none of them runs', () => !pids.some(lives));
  });

  test('leaves nothing running, and need not wait for it', async () => {
    const folder = await temporaryFolder();
    const told = await collect({ script: sh('sleep 1000 &', `printf '{"pid": "%s"}' $!`) }, folder);
    await eventually('what it left is gone', () => !lives(String(told?.pid)));
  });

  test('does not start when its time is up already', async () => {
    const folder = await temporaryFolder();
    const script = sh('touch started', 'echo null');
    await expect(collect({ script, signal: AbortSignal.abort(new Error('late')) }, folder)).rejects.toThrow(
      'late',
    );
    await expect(readFile(join(folder, 'started'))).rejects.toThrow('ENOENT');
  });
});

test('what a report cannot carry is an error with its path', () => {
  const nested = (depth: number): string => (depth === 0 ? '1' : `{"a":${nested(depth - 1)}}`);
  expect(parseOutput(`\uFEFF${nested(32)}\n`)).not.toBeNull();
  expect(() => parseOutput(nested(40))).toThrow('must be nested at most 32 deep');
  expect(() => parseOutput('{"a":{"b":["x\\u0000"]}}')).toThrow(
    'a.b.0: must be well-formed text without U+0000',
  );
  expect(() => parseOutput('{"a":"\\ud800"}')).toThrow('a: must be well-formed text');
  expect(() => parseOutput('{"a":{"\\u0000":1}}')).toThrow('a: a name must be well-formed');
  expect(() => parseOutput('"x"')).toThrow('it printed a string');
});

test.each([
  [{}, 'command'],
  [{ command: [] }, 'command'],
  [{ command: ['', 'x'] }, 'command'],
  [{ command: ['x', 7] }, 'command.1'],
  [{ command: './rack.sh --json' }, 'command'],
  [{ command: ['x'], facts: { row: { kind: 'cuont', description: 'Row' } } }, 'facts.row.kind'],
  [{ command: ['x'], facts: {} }, 'facts'],
  [
    {
      command: ['x'],
      facts: { a: { kind: 'text', description: 'A' } },
      readings: { a: { kind: 'text', description: 'A' } },
    },
    'readings.a',
  ],
  [{ command: ['x'], env: { 'A=B': 'c' } }, 'env.A=B'],
  [{ command: ['x'], timeout: '5s' }, ''],
])('options %j are wrong at %s', (options, path) => {
  expect(execOptions.safeParse(options).error?.issues.map((issue) => issue.path.join('.'))).toContain(path);
});
