import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeIf } from '../test/support/needs.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import { checkConfig } from './config.ts';
import { loadConfiguredPlugins } from './configured-plugins.ts';
import { describePlugins } from './describe-plugins.ts';

const row = { kind: 'count', description: 'Row of racks', nullable: false };
const fans = { kind: 'count', description: 'Fans that turn' };

async function load(plugins: object[], files: Record<string, string> = {}) {
  const folder = await temporaryFolder(files);
  for (const name of Object.keys(files)) if (name.endsWith('.sh')) await chmod(join(folder, name), 0o755);
  const checked = checkConfig({ plugins });
  const loaded = await loadConfiguredPlugins(checked.plugins, folder, {
    onStray: (use, error) => expect.fail(`${use}: ${error}`),
  });
  return { ...loaded, folder, problems: [...checked.problems, ...loaded.problems] };
}

const exec = (name: string | undefined, command: unknown, options: object = {}) => ({
  use: 'exec',
  ...(name === undefined ? {} : { name }),
  options: { command, ...options },
});

const printing = (json: string) => ({ 'rack.sh': `#!/bin/sh\necho '${json}'\n` });

async function outcome(printed: string, options: object = {}) {
  const { plugins, problems } = await load([exec('rack', ['./rack.sh'], options)], printing(printed));
  expect(problems).toEqual([]);
  return plugins[0]?.source.collect(new AbortController().signal, '/');
}

describeIf(process.platform !== 'win32', 'shell scripts', 'what a command prints', () => {
  test('is a fact as it stands when none are declared', async () => {
    expect(await outcome('{"row": 7, "place": {"room": "B2"}, "none": null}')).toEqual({
      status: 'OK',
      facts: { row: 7, place: { room: 'B2' }, none: null },
      readings: null,
      error: null,
    });
  });

  test('is a reading when that is declared, beside facts that are not', async () => {
    expect(await outcome('{"fans": 4, "row": 7}', { readings: { fans } })).toMatchObject({
      facts: { row: 7 },
      readings: { fans: 4 },
    });
    expect(await outcome('{"fans": "four"}', { readings: { fans } })).toMatchObject({
      status: 'ERROR',
      error: expect.stringContaining('fans: '),
    });
  });

  test('is held against the declared facts, and nothing else is sent', async () => {
    expect(await outcome('{"row": 7}', { facts: { row } })).toMatchObject({
      status: 'OK',
      facts: { row: 7 },
    });
    expect(await outcome('{"rows": 7}', { facts: { row } })).toMatchObject({
      status: 'ERROR',
      error: 'wrong facts: row: is missing; rows: is not declared, did you mean "row"?',
    });
  });

  test('is nothing when it is null', async () => {
    expect(await outcome('null')).toMatchObject({ status: 'SKIPPED' });
  });

  test('of two commands is told apart by their names', async () => {
    const { plugins, problems } = await load(
      [
        exec('rack', ['./rack.sh']),
        { ...exec('slot', ['sh', '-c', 'echo "{}"']), timeout: '2s', interval: '1h' },
        { use: 'cpu' },
      ],
      printing('{}'),
    );
    expect(problems).toEqual([]);
    expect(plugins).toMatchObject([
      { plugin: { name: 'rack', version: 1 }, intervalMs: null },
      { plugin: { name: 'slot' }, timeoutMs: 2_000, intervalMs: 3_600_000 },
      { plugin: { name: 'cpu' } },
    ]);
    expect(describePlugins(plugins.slice(0, 1).map(({ plugin }) => plugin))).toBe(
      'rack (version 1): What ./rack.sh prints\n  facts: as they come\n',
    );
  });

  test('cannot be asked for when the entry is wrong, and every problem is told', async () => {
    const { problems, folder } = await load(
      [
        exec(undefined, ['./rack.sh']),
        exec('cpu', ['./rack.sh']),
        exec('my-rack', ['./missing.sh']),
        exec('plain', ['./plain.txt'], { cwd: 'nowhere' }),
        exec('twice', ['./rack.sh']),
        exec('twice', ['./rack.sh']),
        { ...exec('large', ['./rack.sh']), memory: '64MiB' },
        { use: 'os', name: 'system' },
        exec('typing', 'rack.sh', { comand: [] }),
        exec('declared', ['./rack.sh'], { facts: { row: { ...row, kind: 'cuont' } } }),
      ],
      { ...printing('{}'), 'plain.txt': 'x' },
    );
    expect(problems).toEqual([
      { path: 'plugins.0.name', message: expect.stringContaining('is missing: ') },
      { path: 'plugins.1.name', message: 'is that of a built-in plugin: choose another' },
      { path: 'plugins.2.name', message: expect.stringContaining('must be camelCase') },
      {
        path: 'plugins.2.options.command.0',
        message: `there is no file ${folder}/missing.sh: paths are relative to the folder of the config`,
      },
      { path: 'plugins.3.options.cwd', message: `there is no folder ${folder}/nowhere` },
      {
        path: 'plugins.3.options.command.0',
        message: expect.stringContaining('plain.txt is not executable by this user: chmod +x'),
      },
      { path: 'plugins.6.memory', message: expect.stringContaining('in a process of its own') },
      {
        path: 'plugins.8.options.command',
        message: expect.stringContaining('a list of a program and its arguments'),
      },
      { path: 'plugins.8.options.comand', message: 'unknown key, did you mean "command"?' },
      { path: 'plugins.9.options.facts.row.kind', message: expect.any(String) },
      { path: 'plugins.7.name', message: 'os has a name of its own: only "exec" takes one' },
      { path: 'plugins.5', message: 'is also called "twice", like plugins.4: a name is used once' },
    ]);
  });
});
