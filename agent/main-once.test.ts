import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { builtinPluginNames } from '../plugins/index.ts';
import { hostWith, plugins } from '../test/support/agent-host.ts';
import { runAgent, startAgent } from '../test/support/agent-process.ts';
import { type Answer, acknowledge, closedUrl, respond, startStubApi } from '../test/support/stub-api.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';

const token = 's3cret-t0ken';

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
      droppedReports: 0,
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

  test('on another machine than the state folder is of, reports are of a new host that says where it comes from', async () => {
    const api = await startStubApi();
    const cwd = await hostWith({ api: { url: api.url }, plugins: ['./plain.mjs'] });
    const machine = async (uuid: string) => {
      const root = await temporaryFolder({ 'sys/class/dmi/id/product_uuid': uuid });
      const exit = await runAgent(['once'], { cwd, env: { HOST_ROOT: root } });
      return { host: api.requests.at(-1)?.variables.input.host, stderr: exit.stderr };
    };
    const original = await machine('4c4c4544-0042-3510-8056-b4c04f4e4432');
    expect(original.host).not.toHaveProperty('clonedFrom');
    const clone = await machine('9e1bb9d3-6b0e-4c0c-8f6c-2d5a6b1f0a77');
    expect(clone.host.id).not.toBe(original.host.id);
    expect(clone.host.clonedFrom).toBe(original.host.id);
    expect(clone.stderr).toMatch(
      /^warning: host\.json is of another machine or container, a cloned disk or image/,
    );
    expect(await machine('9e1bb9d3-6b0e-4c0c-8f6c-2d5a6b1f0a77')).toEqual({ host: clone.host, stderr: '' });
  });

  test('the address may come from API_IP and API_PORT alone, and the defaults serve', async () => {
    const api = await startStubApi();
    const cwd = await temporaryFolder();
    const env = { API_IP: '127.0.0.1', API_PORT: new URL(api.url).port };
    expect(await runAgent(['once'], { cwd, env })).toMatchObject({ code: 0, stdout: 'success\n' });
    const { results } = api.requests[0]?.variables.input ?? {};
    const told: string[] = results.map(({ plugin, status }: Record<string, string>) => `${plugin} ${status}`);
    expect(told.slice(0, 4)).toEqual(['cpu OK', 'user OK', 'os OK', 'network OK']);
    // Of the others it depends on this machine whether they apply.
    expect(told.map((line) => line.replace(/ (?:OK|SKIPPED)$/, ''))).toEqual(builtinPluginNames);
  });

  test('plugins that go wrong cost only their own results', async () => {
    const api = await startStubApi();
    const hang = { use: './hang.mjs', timeout: '50ms' };
    const cwd = await hostWith({ api: { url: api.url }, plugins: ['./stray.mjs', hang, './plain.mjs'] });
    const exit = await runAgent(['once'], { cwd });
    expect(exit).toMatchObject({ code: 0, stdout: 'success\n' });
    expect(exit.stderr).toMatch(/stray error of plugin \.\/stray\.mjs: Error: nobody awaits me/);
    expect(exit.stderr).toMatch(/stray error of plugin \.\/stray\.mjs: Error: nobody catches me/);
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
      /^error: the API at \S+ answered HTTP 500; .*: Oops\n$/,
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

  test('what was not delivered waits for the next time, and goes after its report', async () => {
    let isAway = true;
    const api = await startStubApi((request, response) =>
      isAway ? respond(response, 503, 'down') : acknowledge(request, response),
    );
    const cwd = await hostWith({ api: { url: api.url }, plugins });
    expect((await runAgent(['once'], { cwd })).stdout).toMatch(/^error: .*503/);
    const [waiting] = await readdir(join(cwd, 'state/spool'));
    isAway = false;
    expect(await runAgent(['once'], { cwd })).toMatchObject({ code: 0, stdout: 'success\n', stderr: '' });
    const ids = api.requests.map(({ variables }) => `${variables.input.id}.report`);
    expect(ids).toHaveLength(3);
    expect([ids[0], ids[2]]).toEqual([waiting, waiting]);
    expect(await readdir(join(cwd, 'state/spool'))).toEqual([]);
  });

  test('a spool that cannot be written is a warning, and the report is sent all the same', async () => {
    const api = await startStubApi();
    const cwd = await hostWith({ api: { url: api.url }, plugins }, { 'state/spool': 'a file' });
    const exit = await runAgent(['once'], { cwd });
    expect(exit).toMatchObject({ code: 0, stdout: 'success\n' });
    expect(exit.stderr).toMatch(/^warning: the spool cannot be used: [^\n]*\n$/);
    expect(api.requests).toHaveLength(1);
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
