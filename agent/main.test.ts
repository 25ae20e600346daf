import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runAgent, startAgent } from '../test/support/agent-process.ts';
import { type Answer, closedUrl, respond, startStubApi } from '../test/support/stub-api.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import type { SubmitReportInput } from './report.ts';

const token = 's3cret-t0ken';

/** Plugins as users write them: TypeScript with our module, a plain object, and one that goes wrong. */
const files = {
  'rack.ts': `import { count, definePlugin, z } from 'os-inspector/plugin';
    export default definePlugin({
      name: 'rack', version: 2, description: 'Where it stands',
      facts: { row: count('Row in the hall') },
      options: z.strictObject({ row: z.int() }),
      collect: async ({ options }) => ({ row: options.row as number }),
    });`,
  'plain.mjs': `export default {
      name: 'plain', version: 1, description: 'A plain object',
      facts: { hall: { kind: 'text', description: 'Hall' } },
      readings: { heat: { kind: 'number', description: 'Heat', unit: 'celsius' } },
      collect: async () => ({ hall: 'B', heat: 21.5 }),
    };`,
  'stray.mjs': `export default {
      name: 'stray', version: 1, description: 'Leaves a rejection behind',
      facts: { hall: { kind: 'text', description: 'Hall' } },
      async collect() {
        Promise.reject(new Error('nobody awaits me'));
        setImmediate(() => { throw new Error('nobody catches me'); });
        await new Promise((resolve) => setTimeout(resolve, 20));
        throw 'not an Error';
      },
    };`,
  'hang.mjs': `export default {
      name: 'hang', version: 1, description: 'Never comes back, and keeps the process alive',
      facts: { hall: { kind: 'text', description: 'Hall' } },
      collect: () => new Promise(() => setInterval(() => {}, 1000)),
    };`,
};

const plugins = [{ use: './rack.ts', options: { row: 7 } }, './plain.mjs'];

async function hostWith(config: object, more: Record<string, string> = {}): Promise<string> {
  return temporaryFolder({ ...files, 'agent.config.json': JSON.stringify(config), ...more });
}

const withoutTimes = (report: SubmitReportInput): SubmitReportInput => ({
  ...report,
  results: report.results.map((result) => ({ ...result, durationMs: 0 })),
});

describe('once', () => {
  test('submits one report and prints success', async () => {
    const api = await startStubApi();
    const cwd = await hostWith({ api: { url: api.url }, labels: { site: 'fra1' }, plugins });
    const exit = await runAgent(['once'], { cwd, env: { OS_INSPECTOR_TOKEN: token } });
    expect(exit).toEqual({ code: 0, signal: null, stdout: 'success\n', stderr: '' });
    expect(api.requests).toHaveLength(1);
    expect(api.requests[0]?.headers.authorization).toBe(`Bearer ${token}`);
    const { version } = JSON.parse(await readFile(join(import.meta.dirname, '../package.json'), 'utf8'));
    expect(api.requests[0]?.variables.input).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
      host: {
        id: JSON.parse(await readFile(join(cwd, 'state/host.json'), 'utf8')).id,
        name: expect.any(String),
        labels: { site: 'fra1' },
      },
      agentVersion: version,
      collectedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      intervalSeconds: null,
      results: [
        {
          plugin: 'rack',
          version: 2,
          status: 'OK',
          durationMs: expect.any(Number),
          facts: { row: 7 },
          readings: null,
          error: null,
        },
        {
          plugin: 'plain',
          version: 1,
          status: 'OK',
          durationMs: expect.any(Number),
          facts: { hall: 'B' },
          readings: { heat: 21.5 },
          error: null,
        },
      ],
    });
  });

  test('the address may come from API_IP and API_PORT alone, and the defaults serve', async () => {
    const api = await startStubApi();
    const cwd = await temporaryFolder();
    const env = { API_IP: '127.0.0.1', API_PORT: new URL(api.url).port };
    expect(await runAgent(['once'], { cwd, env })).toMatchObject({ code: 0, stdout: 'success\n' });
    const { results } = api.requests[0]?.variables.input ?? {};
    expect(results.map(({ plugin, status }: Record<string, string>) => `${plugin} ${status}`)).toEqual([
      'cpu OK',
      'user OK',
      'os OK',
      'network OK',
    ]);
  });

  test('plugins that go wrong cost only their own results', async () => {
    const api = await startStubApi();
    const hang = { use: './hang.mjs', timeout: '50ms' };
    const cwd = await hostWith({ api: { url: api.url }, plugins: ['./stray.mjs', hang, './plain.mjs'] });
    const exit = await runAgent(['once'], { cwd });
    expect(exit).toMatchObject({ code: 0, stdout: 'success\n' });
    expect(exit.stderr).toMatch(/stray error, probably of a plugin: Error: nobody awaits me/);
    expect(exit.stderr).toMatch(/stray error, probably of a plugin: Error: nobody catches me/);
    expect(api.requests[0]?.variables.input.results).toMatchObject([
      { plugin: 'stray', status: 'ERROR', error: 'not an Error' },
      { plugin: 'hang', status: 'TIMEOUT', error: 'took longer than 50ms' },
      { plugin: 'plain', status: 'OK' },
    ]);
  });

  const graphqlError = { errors: [{ message: 'too old', extensions: { code: 'BAD_USER_INPUT' } }] };
  test.each<[string, Answer, RegExp]>([
    [
      'a GraphQL error',
      (_, response) => respond(response, 200, graphqlError),
      /^error: the API at \S+ answered: too old \(BAD_USER_INPUT\)\n$/,
    ],
    [
      'HTTP 500',
      (_, response) => respond(response, 500, 'Oops'),
      /^error: the API at \S+ answered HTTP 500: Oops\n$/,
    ],
    [
      'a web page',
      (_, response) => respond(response, 200, '<html>'),
      /^error: what answers at \S+ is not the API/,
    ],
  ])('%s is one line on stdout, exit 1', async (_, answer, stdout) => {
    const api = await startStubApi(answer);
    const cwd = await hostWith({ api: { url: api.url }, plugins });
    const exit = await runAgent(['once'], { cwd, env: { OS_INSPECTOR_TOKEN: token } });
    expect(exit).toMatchObject({ code: 1, stdout: expect.stringMatching(stdout), stderr: '' });
    expect(exit.stdout).not.toContain(token);
  });

  test('no API is one line that says what to do, exit 1', async () => {
    const url = await closedUrl();
    const cwd = await hostWith({ api: { url }, plugins });
    expect(await runAgent(['once'], { cwd })).toMatchObject({
      code: 1,
      stdout: `error: cannot reach the API at ${url}: connection refused; is it running, and is api.url right?\n`,
    });
  });

  test('told to stop before the server answers, it ends at once with exit 1', async () => {
    const api = await startStubApi(() => {});
    const cwd = await hostWith({ api: { url: api.url }, plugins });
    const agent = startAgent(['once'], { cwd });
    await api.received(1);
    agent.child.kill('SIGTERM');
    expect(await agent.exit).toMatchObject({ code: 1, stdout: 'error: told to stop by SIGTERM\n' });
  });

  test('a state folder that cannot be used is exit 1 and names --state', async () => {
    const cwd = await hostWith({ api: { url: await closedUrl() }, plugins });
    const exit = await runAgent(['once', '--state', 'rack.ts/state'], { cwd });
    expect(exit).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^error: cannot keep the host id .*--state\n$/),
    });
  });
});

describe('print', () => {
  test('shows exactly what would be submitted, needs no address and no state folder', async () => {
    const api = await startStubApi();
    const cwd = await hostWith({ plugins });
    await runAgent(['once'], { cwd, env: { OS_INSPECTOR_URL: api.url } });
    const exit = await runAgent(['print'], { cwd });
    expect(exit).toMatchObject({ code: 0, stderr: '' });
    const [printed, submitted] = [JSON.parse(exit.stdout), api.requests[0]?.variables.input].map(
      withoutTimes,
    );
    expect(printed).toEqual({
      ...submitted,
      id: expect.any(String),
      collectedAt: expect.any(String),
    });
    const homeless = await runAgent(['print', '--state', 'rack.ts'], { cwd });
    expect(homeless).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^note: cannot keep the host id/),
    });
    expect(JSON.parse(homeless.stdout).host.id).not.toBe(submitted?.host.id);
    expect(api.requests).toHaveLength(1);
  });
});

describe('HOST_ROOT', () => {
  test('the name, and what plugins read, are of the host that is mounted there', async () => {
    const root = `export default {
      name: 'root', version: 1, description: 'Root',
      facts: { path: { kind: 'text', description: 'Path' } },
      collect: async ({ root }) => ({ path: root }),
    };`;
    const cwd = await hostWith(
      { plugins: ['./root.mjs'] },
      { 'root.mjs': root, 'host/etc/hostname': 'web-1\n' },
    );
    const exit = await runAgent(['print'], { cwd, env: { HOST_ROOT: join(cwd, 'host') } });
    expect(JSON.parse(exit.stdout)).toMatchObject({
      host: { name: 'web-1' },
      results: [{ facts: { path: join(cwd, 'host') } }],
    });
  });
});

describe('check', () => {
  test('an API that answers is exit 0', async () => {
    const api = await startStubApi();
    const cwd = await hostWith({ api: { url: api.url }, plugins });
    const exit = await runAgent(['check'], { cwd });
    expect(exit).toMatchObject({ code: 0, stderr: '' });
    expect(exit.stdout).toContain('agent.config.json: no problems\nplugins: rack, plain\n');
    expect(exit.stdout).toContain(`api: ${api.url} answers`);
  });

  test('an API that does not is exit 1', async () => {
    const cwd = await hostWith({ api: { url: await closedUrl() }, plugins });
    const exit = await runAgent(['check'], { cwd });
    expect(exit).toMatchObject({ code: 1, stdout: expect.stringContaining('api: cannot reach the API at') });
  });

  test('every problem is listed at once, exit 2', async () => {
    const rack = { use: './rack.ts', options: { row: 'x' } };
    const cwd = await hostWith({ intervall: '5m', api: { url: 'ftp://x' }, plugins: [rack, 'networc'] });
    const exit = await runAgent(['check'], { cwd, env: { OS_INSPECTOR_TOKEN: 'a b' } });
    expect(exit).toMatchObject({ code: 2, stdout: '' });
    const [title, ...problems] = exit.stderr.trim().split('\n');
    expect(title).toBe('agent.config.json has 5 problems:');
    expect(problems.map((line) => line.replace(/^ {2}(\S+): .*/, '$1')).sort()).toEqual(
      ['OS_INSPECTOR_TOKEN', 'api.url', 'intervall', 'plugins.0.options.row', 'plugins.1'].sort(),
    );
  });
});

describe('run', () => {
  test('submits at once and every interval, and SIGTERM ends it with exit 0', async () => {
    const api = await startStubApi();
    const cwd = await hostWith({ api: { url: api.url }, interval: '1s', plugins });
    const agent = startAgent(['run'], { cwd, env: { OS_INSPECTOR_TOKEN: token } });
    await api.received(2);
    agent.child.kill('SIGTERM');
    const exit = await agent.exit;
    expect(exit).toMatchObject({ code: 0, signal: null, stderr: '' });
    const lines = exit.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines[0]).toMatchObject({
      msg: 'agent started',
      config: join(cwd, 'agent.config.json'),
      url: api.url,
      interval: '1s',
      plugins: ['rack', 'plain'],
    });
    expect(lines[1]).toMatchObject({
      msg: 'report submitted',
      reportId: api.requests[0]?.variables.input.id,
    });
    expect(lines.at(-1)).toMatchObject({ msg: 'agent stopped', reason: 'told to stop by SIGTERM' });
    expect(exit.stdout).not.toContain(token);
    expect(api.requests[0]?.variables.input.intervalSeconds).toBe(1);
  });

  test('an API that is down does not stop it, and its failure is logged', async () => {
    const url = await closedUrl();
    const cwd = await hostWith({ api: { url }, plugins });
    const agent = startAgent(['run'], { cwd });
    await new Promise<void>((resolve) => {
      agent.child.stdout?.on('data', (chunk) => `${chunk}`.includes('report not submitted') && resolve());
    });
    agent.child.kill('SIGINT');
    const exit = await agent.exit;
    expect(exit).toMatchObject({ code: 0, signal: null });
    expect(exit.stdout).toContain('connection refused');
  });

  test.each([
    ['a plugin hangs', ['./hang.mjs'], 'agent started'],
    ['the server hangs', ['./plain.mjs'], null],
  ])('is stopped promptly while %s', async (_, plugins, message) => {
    const api = await startStubApi(() => {});
    const cwd = await hostWith({ api: { url: api.url }, timeout: '1h', plugins });
    const agent = startAgent(['run'], { cwd });
    const logged = new Promise<void>((resolve) => {
      agent.child.stdout?.on('data', (chunk) => `${chunk}`.includes(message ?? '') && resolve());
    });
    await (message ? logged : api.received(1));
    agent.child.kill('SIGTERM');
    expect(await agent.exit).toMatchObject({ code: 0, signal: null });
  });

  test('is stopped while a plugin is still loading', async () => {
    const slow = `console.error('loading'); await new Promise(() => setInterval(() => {}, 1000));`;
    const cwd = await hostWith(
      { api: { url: await closedUrl() }, plugins: ['./slow.mjs'] },
      { 'slow.mjs': slow },
    );
    const agent = startAgent(['run'], { cwd });
    await new Promise((resolve) => agent.child.stderr?.once('data', resolve));
    agent.child.kill('SIGTERM');
    expect(await agent.exit).toMatchObject({ code: 0, signal: null });
  });

  test('a wrong config stops the start with exit 2, before anything is sent', async () => {
    const api = await startStubApi();
    const cwd = await hostWith({ api: { url: api.url }, interval: 'often' });
    const exit = await runAgent(['run'], { cwd });
    expect(exit).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('interval: must be') });
    expect(api.requests).toEqual([]);
  });

  test('a state folder that cannot be used is exit 1', async () => {
    const cwd = await hostWith({ api: { url: await closedUrl() }, plugins });
    const exit = await runAgent(['run', '--state', 'rack.ts'], { cwd });
    expect(exit).toMatchObject({ code: 1, stdout: expect.stringContaining('--state') });
  });
});

describe('plugins', () => {
  test('shows what each configured plugin collects', async () => {
    const { code, stdout } = await runAgent(['plugins'], { cwd: await hostWith({ plugins }) });
    expect(code).toBe(0);
    expect(stdout).toContain('rack (version 2): Where it stands\n  facts\n    row  count  ');
    expect(stdout).toMatch(/ {4}heat {2}number {2}celsius {2}Heat\n/);
  });
});

describe('the command line', () => {
  test('help is on stdout with exit 0; no or a wrong command on stderr with exit 2', async () => {
    const cwd = await temporaryFolder();
    const help = await runAgent(['--help'], { cwd });
    expect(help).toMatchObject({ code: 0, stdout: expect.stringMatching(/^usage: /), stderr: '' });
    const nothing = await runAgent([], { cwd });
    expect(nothing).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('usage: ') });
    const wrong = await runAgent(['onec'], { cwd });
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('did you mean "once"?') });
    expect((await runAgent(['--version'], { cwd })).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test('no address anywhere says where it can be set and where was looked, exit 2', async () => {
    const cwd = await temporaryFolder();
    const { code, stderr } = await runAgent(['once'], { cwd });
    expect(code).toBe(2);
    for (const hint of [
      'api.url',
      cwd,
      '/etc/os-inspector',
      'OS_INSPECTOR_URL',
      'agent.config.example.json',
    ]) {
      expect(stderr).toContain(hint);
    }
  });

  test('a config that is missing or does not parse is named, exit 2', async () => {
    const cwd = await temporaryFolder({ 'agent.config.json': '{ "interval" }' });
    const missing = await runAgent(['print', '--config', 'no.json'], { cwd });
    expect(missing).toMatchObject({ code: 2, stderr: `no config file ${join(cwd, 'no.json')}\n` });
    const broken = await runAgent(['print'], { cwd });
    expect(broken).toMatchObject({ code: 2, stderr: expect.stringMatching(/agent\.config\.json: .*JSON/) });
  });

  test('a config in TypeScript names plugins relative to its own folder', async () => {
    const cwd = await temporaryFolder(files);
    await mkdir(join(cwd, 'elsewhere'));
    const config = `export default { plugins: ['../plain.mjs' as string] };`;
    await writeFile(join(cwd, 'elsewhere/mine.ts'), config);
    const exit = await runAgent(['print', '--config', 'elsewhere/mine.ts'], { cwd });
    expect(JSON.parse(exit.stdout).results).toMatchObject([{ plugin: 'plain', status: 'OK' }]);
  });
});
