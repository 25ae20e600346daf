/** What the commands that look inside an agent say of one that really runs. */
import { spawnSync } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hostWith, plugins } from '../test/support/agent-host.ts';
import { runAgent, startAgent } from '../test/support/agent-process.ts';
import { eventually } from '../test/support/eventually.ts';
import { testIf } from '../test/support/needs.ts';
import { node, repository, run, start } from '../test/support/process.ts';
import { closedUrl, startStubApi } from '../test/support/stub-api.ts';

const broken = {
  'rack.mjs': `export default {
    name: 'broken', version: 1, description: 'x', facts: { row: { kind: 'count', description: 'Row' } },
    async collect() { return { row: 'seven', hall: 'B' }; },
  };`,
  'shell.mjs': `import { execFileSync, execFile } from 'node:child_process';
    import { readFile } from 'node:fs/promises';
    export default {
      name: 'shell', version: 1, description: 'Starts programs', options: undefined,
      facts: { lines: { kind: 'list', of: { kind: 'text', description: 'l' }, description: 'Lines' } },
      async collect() {
        await readFile(process.env.DENIED ?? '/nowhere').catch(() => {});
        await new Promise((resolve) => execFile('true', resolve));
        return { lines: [1, 2, 3, 4].map((n) => execFileSync('echo', ['line ' + n], { encoding: 'utf8' }).trim()) };
      },
    };`,
};

describe('status', () => {
  test('tells of a daemon that runs, of one that was stopped, and of one that was killed', async () => {
    const api = await startStubApi();
    const cwd = await hostWith({ api: { url: api.url }, interval: '1s', plugins });
    const status = async () => {
      const { code, stdout } = await runAgent(['status', '--json'], { cwd });
      return { code, ...JSON.parse(stdout) };
    };
    expect(await status()).toMatchObject({ code: 1, isRunning: false, status: null });
    const agent = startAgent(['run'], { cwd });
    const running = await eventually('the last report is acknowledged', async () => {
      const now = await status();
      // Between two reports: one that is on its way is in the spool.
      return now.status?.lastReport?.acknowledgedAt && now.spool.reports === 0 ? now : null;
    });
    expect(running).toMatchObject({
      ...{ code: 0, isWell: true, problems: [], isRunning: true, spool: { reports: 0 } },
      status: {
        agent: { pid: agent.child.pid, url: api.url, config: join(cwd, 'agent.config.json') },
        plugins: [
          { name: 'rack', status: 'OK' },
          { name: 'plain', status: 'OK' },
        ],
      },
    });
    const shown = await runAgent(['status'], { cwd });
    expect(shown).toMatchObject({ code: 0, stdout: expect.stringMatching(/\nall is well\n$/) });
    agent.child.kill('SIGTERM');
    await agent.exit;
    const stopped = await runAgent(['status'], { cwd });
    expect(stopped).toMatchObject({ code: 1, stdout: expect.stringContaining('the last one stopped') });

    const another = startAgent(['run'], { cwd });
    await another.waitFor(/report submitted/);
    another.child.kill('SIGKILL');
    await another.exit;
    expect(await status()).toMatchObject({ code: 1, isRunning: false });
  });

  test('says that reports are in memory alone, and the log how many a stop has cost', async () => {
    const cwd = await hostWith({ api: { url: await closedUrl() }, interval: '1s', plugins });
    await mkdir(join(cwd, 'state'));
    await writeFile(join(cwd, 'state/spool'), 'a file where a folder should be');
    const agent = startAgent(['run'], { cwd });
    await agent.waitFor(/the spool cannot be used: reports are kept in memory/);
    await eventually('status tells of them', async () => {
      const { stdout } = await runAgent(['status'], { cwd });
      return /reports are only in memory: make \S+state writable/.test(stdout);
    });
    agent.child.kill('SIGTERM');
    const { code, stdout } = await agent.exit;
    expect(code).toBe(0);
    expect(stdout).toMatch(/"reports":\d+,"msg":"reports lost: they were only in memory"/);
  });

  test('says what waits when the API is away, and that the config is wrong now', async () => {
    const cwd = await hostWith({ api: { url: await closedUrl() }, interval: '1s', plugins });
    const agent = startAgent(['run'], { cwd });
    const text = await eventually('a failure is told', async () => {
      const { code, stdout } = await runAgent(['status'], { cwd });
      return code === 1 && stdout.includes('reports are not delivered') ? stdout : null;
    });
    expect(text).toMatch(/spool +\d+ reports, .* of 64 MiB, the oldest collected/);
    expect(text).toContain('connection refused');
    const env = { API_IP: '10.0.0.1' };
    expect(await runAgent(['status'], { cwd, env })).toMatchObject({
      ...{ code: 2, stdout: expect.stringContaining('running with pid') },
      stderr: expect.stringContaining('API_PORT: is missing'),
    });
    agent.child.kill('SIGTERM');
    expect(await agent.exit).toMatchObject({ code: 0 });
  });

  test('a file of another version is no status', async () => {
    const cwd = await hostWith({ plugins }, { 'state/status.json': '{ "format": 2 }' });
    expect(await runAgent(['status'], { cwd })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^error: cannot read .*status\.json: it is of another version/),
    });
  });
});

describe('metrics', () => {
  test('are served while the daemon runs, where the config says', async () => {
    const api = await startStubApi();
    const cwd = await hostWith({ api: { url: api.url }, plugins, metrics: { listen: '127.0.0.1:0' } });
    const agent = startAgent(['run'], { cwd });
    const [, url = ''] = await agent.waitFor(/"url":"([^"]+\/metrics)"/);
    await agent.waitFor(/report submitted/);
    const text = await (await fetch(url)).text();
    expect(text).toContain('os_inspector_agent_reports_total{outcome="acknowledged"} 1\n');
    expect(text).toContain('os_inspector_agent_plugin_up{plugin="plain"} 1\n');
    const second = await runAgent(['run', '--state', 'other'], {
      cwd: await hostWith({ api: { url: api.url }, plugins, metrics: { listen: new URL(url).host } }),
    });
    expect(second).toMatchObject({ code: 1, stdout: expect.stringContaining('choose another port') });
    agent.child.kill('SIGTERM');
    expect(await agent.exit).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('the log', () => {
  test.each([
    ['the config', { format: 'pretty' }, []],
    ['an option, before the config', { format: 'json' }, ['--log-format', 'pretty']],
  ])('is for people by %s', async (_, log, args) => {
    const api = await startStubApi();
    const cwd = await hostWith({ api: { url: api.url }, plugins, log });
    const agent = startAgent(['run', ...args], { cwd });
    await agent.waitFor(/INFO: report submitted \{"reportId"/);
    agent.child.kill('SIGTERM');
    const { stdout } = await agent.exit;
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^\[.*\] INFO: agent stopped \{/);
  });

  test('leaves out what is below its level', async () => {
    const url = await closedUrl();
    const cwd = await hostWith({ api: { url }, plugins, log: { level: 'error' } });
    const agent = startAgent(['run'], { cwd });
    await agent.waitFor(/report not submitted/);
    agent.child.kill('SIGTERM');
    const { stdout } = await agent.exit;
    const levels = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).level);
    expect(new Set(levels)).toEqual(new Set([50]));
  });
});

describe('doctor', () => {
  const statuses = (stdout: string) =>
    Object.fromEntries(
      JSON.parse(stdout).checks.map(({ name, status }: { name: string; status: string }) => [name, status]),
    );

  test('finds nothing wrong where nothing is', async () => {
    const api = await startStubApi();
    const cwd = await hostWith({ api: { url: api.url }, plugins: ['cpu', ...plugins] });
    const { code, stdout } = await runAgent(['doctor', '--json'], { cwd });
    expect(statuses(stdout)).toMatchObject({
      ...{ config: 'OK', dns: 'OK', tcp: 'OK', tls: 'SKIPPED', api: 'OK', token: 'OK', clock: 'OK' },
      ...{ state: 'OK', spool: 'OK', agent: 'WARNING' },
      ...{ 'plugin cpu': 'OK', 'plugin rack': 'OK', 'plugin plain': 'OK' },
    });
    expect(code).toBe(0);
  });

  test('tells of everything at once, also with a config that is wrong', async () => {
    const config = { intervall: '5m', api: { url: await closedUrl() }, plugins: ['./rack.mjs', './no.mjs'] };
    const cwd = await hostWith(config, broken);
    const { code, stdout } = await runAgent(['doctor', '--state', 'agent.config.json/x'], { cwd });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^FAILED {3}config: .*intervall: unknown key/);
    expect(stdout).toContain('no plugin file');
    expect(stdout).toMatch(/^FAILED {3}tcp: cannot connect to 127\.0\.0\.1 port \d+: ECONNREFUSED/m);
    expect(stdout).toMatch(/^FAILED {3}state: /m);
    expect(stdout).toMatch(/^FAILED {3}plugin broken: ERROR: wrong facts: row: .*hall: is not declared/m);
    for (const [, line] of stdout.matchAll(/^FAILED.*\n(.*)/gm)) expect(line).toMatch(/^ {9,}/);
  });

  test('a file that cannot be read is named, and the API is tried by what the environment says', async () => {
    const api = await startStubApi();
    const cwd = await hostWith({}, { 'agent.config.json': '{' });
    const env = { OS_INSPECTOR_URL: api.url };
    const { code, stdout } = await runAgent(['doctor'], { cwd, env });
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^FAILED {3}config: .*agent\.config\.json: not right JSON.*\n {9}-> correct that file\n/,
    );
    expect(stdout).toMatch(/^OK {7}api: /m);
  });

  test('a connection that is refused leaves nothing else to try', async () => {
    const cwd = await hostWith({ api: { url: await closedUrl() }, plugins: [] });
    const { code, stdout } = await runAgent(['doctor', '--json'], { cwd });
    expect(code).toBe(1);
    expect(statuses(stdout)).toMatchObject({
      ...{ dns: 'OK', tcp: 'FAILED', tls: 'SKIPPED', api: 'SKIPPED', clock: 'SKIPPED' },
    });
  });

  testIf(
    spawnSync('unshare', ['--net', 'true']).status === 0,
    'needs root on Linux, to take the network away',
    'without a network it is not the address that is to be corrected',
    async () => {
      const cwd = await hostWith({ api: { url: 'http://api.example.org/graphql' }, plugins: [] });
      const command = ['--net', node, join(repository, 'agent/main.ts'), 'doctor', '--state', 'state'];
      const { code, stdout } = await run('unshare', command, { cwd });
      expect(code).toBe(1);
      expect(stdout).toMatch(
        /^FAILED {3}dns: the name server does not answer .*\n {9}-> look at \/etc\/resolv\.conf/m,
      );
      expect(stdout).toMatch(/^SKIPPED {2}tcp: dns failed$/m);
    },
  );

  test('a certificate that is trusted is for its own name only', async () => {
    const server = `
      const { readFileSync } = require('node:fs');
      const tls = (name) => readFileSync('test/fixtures/tls/' + name);
      const options = { key: tls('key.pem'), cert: tls('self-signed.pem') };
      const answer = (_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"data":{"__typename":"Query"}}');
      const server = require('node:https').createServer(options, answer);
      server.listen(0, '127.0.0.1', () => console.log('port', server.address().port));`;
    const running = start(node, ['--eval', server]);
    const [, port] = await running.waitFor(/port (\d+)/);
    const env = { NODE_EXTRA_CA_CERTS: join(repository, 'test/fixtures/tls/self-signed.pem') };
    const look = async (name: string, env: Record<string, string>) => {
      const cwd = await hostWith({ api: { url: `https://${name}:${port}/graphql` }, plugins: [] });
      const { stdout } = await runAgent(['doctor', '--json'], { cwd, env });
      return stdout;
    };
    expect(statuses(await look('localhost', env))).toMatchObject({ tls: 'OK', api: 'OK', clock: 'OK' });
    const wrongName = await look('127.0.0.1', env);
    expect(statuses(wrongName)).toMatchObject({ tls: 'FAILED', api: 'SKIPPED' });
    expect(wrongName).toContain('ERR_TLS_CERT_ALTNAME_INVALID; it is for DNS:localhost');
    expect(await look('localhost', {})).toContain('DEPTH_ZERO_SELF_SIGNED_CERT');
    running.child.kill();
  });

  test.runIf(process.getuid?.() === 0)('without rights it names what it may not read or write', async () => {
    const cwd = await hostWith({ plugins: ['./shell.mjs'] }, { ...broken, secret: 'x', 'state/kept': '' });
    await chmod(join(cwd, 'secret'), 0o600);
    await chmod(cwd, 0o755);
    const env = { DENIED: join(cwd, 'secret'), OS_INSPECTOR_URL: await closedUrl(), HOME: cwd };
    const command = { cwd, user: 65_534, env: { ...env, STATE_DIRECTORY: join(cwd, 'state') } };
    const { stdout } = await run(node, [join(repository, 'agent/main.ts'), 'doctor'], command);
    expect(stdout).toMatch(/^FAILED {3}state: .*EACCES/m);
    expect(stdout).toContain(`WARNING  plugin shell: may not read ${env.DENIED}\n         -> `);
  });
});

describe('plugins test', () => {
  test('shows what a plugin brings and costs, by the name that the config gives it', async () => {
    const cwd = await hostWith({ plugins: ['cpu', ...plugins] });
    const { code, stdout } = await runAgent(['plugins', 'test', 'rack'], { cwd });
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^rack \(version 2\): Where it stands\n {2}first +OK +[\d.]+ ms, [\d.]+ ms of CPU, 0 /,
    );
    expect(stdout).toContain('facts\n  row (count): 7\n');
  });

  test('knows a plugin by the name that its facts have, a command by its own', async () => {
    const command = { command: ['echo', '{"state":"ok"}'] };
    const cwd = await hostWith(
      { plugins: ['./rack.mjs', { use: 'exec', name: 'raid', options: command }] },
      broken,
    );
    const byFacts = await runAgent(['plugins', 'test', 'broken'], { cwd });
    expect(byFacts).toMatchObject({ code: 1, stdout: expect.stringMatching(/^broken \(version 1\)/) });
    const ofCommand = await runAgent(['plugins', 'test', 'raid'], { cwd });
    expect(ofCommand).toMatchObject({ code: 0, stdout: expect.stringMatching(/^raid \(version 1\)/) });
    expect(ofCommand.stdout).toContain('state (not declared): "ok"');
  });

  test('counts the processes that it starts, whether it waits for them or not', async () => {
    const cwd = await hostWith({}, broken);
    const { code, stdout } = await runAgent(['plugins', 'test', './shell.mjs', '--json'], { cwd });
    const { runs } = JSON.parse(stdout);
    expect(runs.map(({ processes }: { processes: number }) => processes)).toEqual([5, 5]);
    expect(runs[1].result.facts.lines).toHaveLength(4);
    expect(code).toBe(0);
    const { stdout: text } = await runAgent(['plugins', 'test', './shell.mjs'], { cwd });
    expect(text).toContain('lines (list): 4 elements\n    "line 1"\n');
    expect(text).toContain('and 1 more\n');
    expect(text).toContain('each collection starts 5 processes');
  });

  test('says what does not fit, exit 1, and who is meant, exit 2', async () => {
    const cwd = await hostWith({ plugins: ['./hang.mjs'], timeout: '100ms' }, broken);
    const wrong = await runAgent(['plugins', 'test', './rack.mjs'], { cwd });
    expect(wrong).toMatchObject({ code: 1, stdout: expect.stringContaining('hall: is not declared') });
    const late = await runAgent(['plugins', 'test', 'hang'], { cwd });
    expect(late).toMatchObject({ code: 1, stdout: expect.stringContaining('TIMEOUT') });
    expect(late.stdout).toContain('cut short');
    const unknown = await runAgent(['plugins', 'test', 'memry'], { cwd });
    expect(unknown).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('"memory"') });
  });
});

test.runIf(spawnSync('script', ['--version']).status === 0)(
  'on a terminal the log is for people',
  async () => {
    const api = await startStubApi();
    const cwd = await hostWith({ api: { url: api.url }, plugins });
    const command = `timeout -s TERM 20 ${node} ${join(repository, 'agent/main.ts')} run --state s`;
    const terminal = start('script', ['-qec', command, '/dev/null'], { cwd });
    await terminal.waitFor(/INFO.*: .*report submitted/);
    terminal.child.kill('SIGTERM');
    await terminal.exit;
  },
);
