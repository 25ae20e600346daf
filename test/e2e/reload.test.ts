import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startAgent } from '../support/agent-process.ts';
import { eventually } from '../support/eventually.ts';
import type { Running } from '../support/process.ts';
import { closedUrl, type StubApi, startStubApi } from '../support/stub-api.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Counts in its cache how often it was asked, and tells which thread it is by a number made at its start. */
const counting = (name: string) => `
  const thread = Math.random();
  export default {
    name: '${name}', version: 1, description: 'Counts',
    facts: { thread: { kind: 'number', description: 'Thread' }, option: { kind: 'text', description: 'Option', nullable: true } },
    readings: { asked: { kind: 'count', description: 'Times' } },
    async collect({ cache, options }) {
      cache.set('asked', (cache.get('asked') ?? 0) + 1);
      return { thread, asked: cache.get('asked'), option: options.option ?? null };
    },
  };`;

type Daemon = { agent: Running; api: StubApi; cwd: string; config: object };

async function daemon(more: object = {}): Promise<Daemon> {
  const api = await startStubApi();
  const cwd = await temporaryFolder({ 'kept.mjs': counting('kept'), 'other.mjs': counting('other') });
  const config = {
    api: { url: api.url },
    interval: '1s',
    labels: { site: 'a' },
    plugins: ['./kept.mjs'],
    ...more,
  };
  await write(cwd, config);
  const agent = startAgent(['run'], { cwd });
  await agent.waitFor(/report submitted/);
  return { agent, api, cwd, config };
}

const write = (cwd: string, config: object) =>
  writeFile(join(cwd, 'agent.config.json'), JSON.stringify(config));

const logged = (agent: Running) =>
  agent
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));

const reports = ({ requests }: StubApi) =>
  requests.flatMap(({ variables }) => (variables?.input ? [variables.input] : []));

// biome-ignore lint/suspicious/noExplicitAny: reports are looked into
const nextReport = (api: StubApi, what: string, fits: (report: any) => boolean) =>
  eventually(what, () => reports(api).find(fits));

const of = (report: { results: { plugin: string }[] }, name: string) =>
  report.results.find(({ plugin }) => plugin === name) as never as {
    facts: { thread: number; option: string | null };
    readings: { asked: number };
  };

async function stopped({ agent, api }: Daemon): Promise<void> {
  agent.child.kill('SIGTERM');
  expect(await agent.exit).toMatchObject({ code: 0, signal: null });
  // None is lost and none sent twice: what was collected was submitted, with no gap.
  const asked = reports(api)
    .map((report) => of(report, 'kept').readings.asked)
    .sort((a, b) => a - b);
  expect(asked).toEqual(asked.map((_, i) => i + 1));
}

test('a changed file is taken over: labels, interval and plugins; what stays the same goes on', async () => {
  const run = await daemon();
  const { agent, api, cwd, config } = run;
  const other = { use: './other.mjs', options: { option: 'x' } };
  await write(cwd, { ...config, labels: { site: 'b' }, interval: '2s', plugins: [other, './kept.mjs'] });
  const after = await nextReport(api, 'a report with the new label', ({ host }) => host.labels.site === 'b');
  expect(after.intervalSeconds).toBe(2);
  expect(after.results.map(({ plugin }: { plugin: string }) => plugin)).toEqual(['other', 'kept']);
  expect(of(after, 'other').facts.option).toBe('x');
  expect(of(after, 'kept').facts.thread).toBe(of(reports(api)[0], 'kept').facts.thread);
  expect(logged(agent).find(({ msg }) => msg === 'config reloaded')).toMatchObject({
    changed: ['interval', 'labels', 'plugins'],
    started: ['other'],
    ended: [],
  });
  // An option of one is no reason to start the other anew; what is not named is ended.
  await write(cwd, { ...config, labels: { site: 'c' }, plugins: ['./kept.mjs'] });
  const last = await nextReport(api, 'a report without the other', ({ host }) => host.labels.site === 'c');
  expect(last.results.map(({ plugin }: { plugin: string }) => plugin)).toEqual(['kept']);
  expect(of(last, 'kept').facts.thread).toBe(of(after, 'kept').facts.thread);
  await stopped(run);
});

test('a broken config keeps the old one and says every problem; SIGHUP reads it again', async () => {
  const run = await daemon();
  const { agent, api, cwd, config } = run;
  await write(cwd, { ...config, intervall: '5s', plugins: ['./kept.mjs', './none.mjs'] });
  await agent.waitFor(/config not taken, the old one stays/);
  const { cause, why } = logged(agent).find(({ msg }) => msg === 'config not taken, the old one stays');
  expect(why).toBe('a file changed');
  expect(cause).toContain('agent.config.json has 2 problems:');
  expect(cause).toContain('intervall: unknown key, did you mean "interval"?');
  expect(cause).toContain('plugins.1: ');
  const before = reports(api).length;
  await nextReport(api, 'reports go on', () => reports(api).length > before + 1);
  await writeFile(join(cwd, 'agent.config.json'), '{');
  await eventually('the second one is told', () => agent.output().match(/config not taken/g)?.length === 2);
  agent.child.kill('SIGHUP');
  await eventually('SIGHUP is told', () =>
    logged(agent).find((line) => line.why === 'SIGHUP' && line.level === 50),
  );
  await rm(join(cwd, 'agent.config.json'));
  await agent.waitFor(/no config file [^ ]*agent\.config\.json/);
  await write(cwd, config);
  await agent.waitFor(/config read again, nothing has changed/);
  await stopped(run);
});

test('other times leave the threads of plugins alone; log and metrics are as the new config has them', async () => {
  const run = await daemon({ plugins: ['./kept.mjs', './other.mjs'] });
  const { agent, api, cwd, config } = run;
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  onTestFinished(() => void taken.close());
  const { port } = taken.address() as AddressInfo;
  const plugins = [{ use: './kept.mjs', timeout: '3s', interval: '1s' }, './other.mjs'];
  const labels = (site: string) => ({ ...config, plugins, timeout: '7s', labels: { site } });
  await write(cwd, { ...labels('b'), metrics: { listen: '127.0.0.1:0' } });
  const after = await nextReport(api, 'a report with the new label', ({ host }) => host.labels.site === 'b');
  expect(logged(agent).find(({ msg }) => msg === 'config reloaded')).toMatchObject({
    ...{ changed: ['labels', 'metrics', 'plugins'], started: [], ended: [] },
  });
  for (const name of ['kept', 'other']) {
    expect(of(after, name).facts.thread).toBe(of(reports(api)[0], name).facts.thread);
  }
  const [, url = ''] = await agent.waitFor(/"url":"([^"]*\/metrics)","msg":"metrics are served"/);
  expect(await (await fetch(url)).text()).toContain(
    'os_inspector_agent_reports_total{outcome="acknowledged"}',
  );
  // Where another listens already, the old address is listened at again.
  await write(cwd, { ...labels('c'), metrics: { listen: `127.0.0.1:${port}` } });
  await agent.waitFor(/EADDRINUSE.*choose another port","msg":"metrics cannot be served there"/);
  await eventually(
    'metrics are served again',
    () => agent.output().match(/metrics are served/g)?.length === 2,
  );
  await write(cwd, { ...labels('d'), log: { format: 'pretty', level: 'warn' } });
  await nextReport(api, 'a report with the last label', ({ host }) => host.labels.site === 'd');
  const before = agent.output().match(/report submitted/g)?.length;
  await write(cwd, { ...labels('d'), log: { format: 'pretty', level: 'warn' }, intervall: '1s' });
  await agent.waitFor(/^\[.*ERROR.*config not taken, the old one stays/m);
  expect(agent.output().match(/report submitted/g)?.length).toBe(before);
  await stopped(run);
});

test.each(['SIGHUP', null] as const)(
  'a change while the agent starts is taken over, with %s',
  async (signal) => {
    const api = await startStubApi();
    const gate = `import { existsSync, writeFileSync } from 'node:fs';
    writeFileSync('loading', '');
    while (!existsSync('go')) await new Promise((resolve) => setTimeout(resolve, 20));
    ${counting('kept')}`;
    const cwd = await temporaryFolder({ 'gate.mjs': gate });
    const config = { api: { url: api.url }, interval: '1s', labels: { site: 'a' }, plugins: ['./gate.mjs'] };
    await write(cwd, config);
    const agent = startAgent(['run'], { cwd });
    await eventually('the config is read, and its plugin is being loaded', () =>
      existsSync(join(cwd, 'loading')),
    );
    await write(cwd, { ...config, labels: { site: 'b' } });
    if (signal) agent.child.kill(signal);
    await writeFile(join(cwd, 'go'), '');
    await nextReport(api, 'a report with the new label', ({ host }) => host.labels.site === 'b');
    await stopped({ agent, api, cwd, config });
  },
);

test('a file that a plugin imports is one of its files', async () => {
  const run = await daemon();
  const { agent, api, cwd, config } = run;
  const importing = `import { site } from './lib/site.mjs';
    export default {
      name: 'sited', version: 1, description: 'Imports', facts: { site: { kind: 'text', description: 'Site' } },
      collect: async () => ({ site }),
    };`;
  await mkdir(join(cwd, 'lib'));
  await writeFile(join(cwd, 'lib/site.mjs'), `export const site = 'one';`);
  await writeFile(join(cwd, 'sited.mjs'), importing);
  await write(cwd, { ...config, plugins: ['./kept.mjs', './sited.mjs'] });
  const siteOf = (report: { results: { plugin: string; facts: { site: string } | null }[] }) =>
    report.results.find(({ plugin }) => plugin === 'sited')?.facts?.site;
  await nextReport(api, 'the first site', (report) => siteOf(report) === 'one');
  await writeFile(join(cwd, 'lib/site.mjs'), `export const site = 'another';`);
  agent.child.kill('SIGHUP');
  await nextReport(api, 'the other site', (report) => siteOf(report) === 'another');
  expect(logged(agent).findLast(({ msg }) => msg === 'config reloaded')).toMatchObject({
    ...{ changed: ['plugins'], started: ['sited'], ended: ['sited'] },
  });
  await stopped(run);
});

test('a new address is tried soon, however long the old one has been failing', async () => {
  const { agent, cwd, config } = await daemon();
  await write(cwd, { ...config, api: { url: await closedUrl() } });
  await agent.waitFor(/report not submitted/);
  const next = await startStubApi();
  await write(cwd, { ...config, api: { url: next.url } });
  await next.received(1);
  agent.child.kill('SIGTERM');
  expect(await agent.exit).toMatchObject({ code: 0, signal: null });
  const [first] = reports(next);
  expect(of(first, 'kept').facts.thread).toEqual(expect.any(Number));
  expect(logged(agent).filter(({ msg }) => msg === 'config reloaded')).toMatchObject([
    { changed: ['api.url'], started: [], ended: [] },
    { changed: ['api.url'], started: [], ended: [] },
  ]);
});

test('a token file that is replaced, and links that are swapped as Kubernetes does', async () => {
  const api = await startStubApi();
  const cwd = await temporaryFolder({ 'kept.mjs': counting('kept') });
  const version = async (name: string, token: string, site: string) => {
    await mkdir(join(cwd, name));
    const config = {
      api: { url: api.url, token: { file: join(cwd, 'token') } },
      ...{ interval: '1s', labels: { site }, plugins: [join(cwd, 'kept.mjs')] },
    };
    await write(join(cwd, name), config);
    await writeFile(join(cwd, name, 'token'), token, { mode: 0o600 });
    await symlink(name, join(cwd, '..data.new'));
    await rename(join(cwd, '..data.new'), join(cwd, '..data'));
  };
  await version('..1', 'one', 'a');
  for (const name of ['token', 'agent.config.json']) await symlink(`..data/${name}`, join(cwd, name));
  const agent = startAgent(['run'], { cwd });
  await api.received(1);
  expect(api.requests[0]?.headers.authorization).toBe('Bearer one');
  await version('..2', 'two', 'b');
  await rm(join(cwd, '..1'), { recursive: true });
  const found = await eventually('the new token and label', () =>
    api.requests.find(({ variables }) => variables.input?.host.labels.site === 'b'),
  );
  expect(found.headers.authorization).toBe('Bearer two');
  await writeFile(join(cwd, '..2/token.new'), 'three', { mode: 0o600 });
  await rename(join(cwd, '..2/token.new'), join(cwd, '..2/token'));
  await eventually('the third token', () =>
    api.requests.find(({ headers }) => headers.authorization === 'Bearer three'),
  );
  expect(agent.output()).not.toMatch(/\b(?:two|three)\b/);
  await stopped({ agent, api, cwd, config: {} });
});
