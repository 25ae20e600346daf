import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { runAgent, startAgent } from '../test/support/agent-process.ts';
import { eventually } from '../test/support/eventually.ts';
import { closedUrl, startStubApi } from '../test/support/stub-api.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';

const planted = 'pl4nted-fact';

/** Tells the same things at every depth. */
const talkative = `import { count, definePlugin, list, text } from 'os-inspector/plugin';
  export default definePlugin({
    name: 'talkative', version: 1, description: 'Tells what must not be told',
    facts: {
      owner: text('Who', { nullable: false }),
      keys: list('Keys', { of: text('Key'), name: text('Name') }),
      plain: text('Nothing special'),
    },
    readings: { last: text('Last'), asked: count('Times') },
    async collect() {
      return { owner: '${planted}', keys: [{ of: '${planted}', name: 'a' }], plain: 'told', last: '${planted}', asked: 1 };
    },
  });`;

async function host(url: string, redact: string[]) {
  const cwd = await temporaryFolder({ 'talkative.ts': talkative });
  const write = (redact: string[], url: string) => {
    const config = { api: { url }, interval: '1s', plugins: ['./talkative.ts'], redact };
    return writeFile(join(cwd, 'agent.config.json'), JSON.stringify(config));
  };
  await write(redact, url);
  return { cwd, write, state: join(cwd, 'state') };
}

async function spooled(state: string): Promise<string[]> {
  const names = await readdir(join(state, 'spool'));
  const files = names.filter((name) => name.endsWith('.report'));
  return Promise.all(
    files.map(async (name) => {
      const data = await readFile(join(state, 'spool', name));
      return `${zstdDecompressSync(data.subarray(data.indexOf('\n') + 1))}`;
    }),
  );
}

const paths = ['talkative.owner', 'talkative.keys.of', 'talkative.last'];

test('what is redacted is in no report, spool, print, trial, log or status; the rest is', async () => {
  const { cwd, state } = await host(await closedUrl(), paths);
  const agent = startAgent(['run'], { cwd });
  await agent.waitFor(/"waiting":1/);
  await eventually('a status', async () => (await runAgent(['status', '--json'], { cwd })).stdout);
  const all = [await readFile(join(state, 'status.json'), 'utf8'), ...(await spooled(state))];
  agent.child.kill('SIGTERM');
  all.push((await agent.exit).stdout);
  const api = await startStubApi();
  const env = { OS_INSPECTOR_URL: api.url };
  for (const args of [['once'], ['print'], ['check'], ['doctor'], ['plugins', 'test', './talkative.ts']]) {
    const { stdout, stderr } = await runAgent(args, { cwd, env });
    all.push(stdout, stderr);
  }
  all.push(JSON.stringify(api.requests));
  expect(all.join('\n')).toContain('told');
  expect(all.join('\n')).not.toContain(planted);
  const { input } = api.requests[0]?.variables ?? {};
  expect(input.results[0]).toMatchObject({
    status: 'OK',
    facts: { owner: null, keys: [{ of: null, name: 'a' }], plain: 'told' },
    readings: { last: null, asked: 1 },
  });
});

test('a report that was kept before goes without it too, also when the daemon is told while it runs', async () => {
  const { cwd, write, state } = await host(await closedUrl(), []);
  const agent = startAgent(['run'], { cwd });
  await agent.waitFor(/"waiting":(?:[2-9]|[1-9]\d)/);
  const kept = await spooled(state);
  expect(kept.join()).toContain(planted);
  const api = await startStubApi();
  await write(paths, api.url);
  // An event of the file may be missed, which a look each minute is for.
  agent.child.kill('SIGHUP');
  await agent.waitFor(/"changed":\["api.url","redact"\]/);
  await agent.waitFor(/report submitted/);
  agent.child.kill('SIGTERM');
  await agent.exit;
  expect(await runAgent(['once'], { cwd })).toMatchObject({ code: 0 });
  expect(await spooled(state)).toEqual([]);
  const text = JSON.stringify(api.requests);
  // By the daemon or by what came after it, alone or with others.
  for (const report of kept) expect(text).toContain(/"id":"([0-9a-f-]{36})"/.exec(report)?.[1]);
  expect(text).not.toContain(planted);
});

test('a path that leads nowhere is a warning of check, and no problem', async () => {
  const api = await startStubApi();
  const { cwd } = await host(api.url, ['talkative.ownr']);
  expect(await runAgent(['check'], { cwd })).toMatchObject({
    code: 0,
    stderr:
      'warning: redact: talkative.ownr takes nothing out: no fact or reading "ownr" is there, did you mean "owner"?\n',
  });
  expect((await runAgent(['doctor'], { cwd })).stdout).toMatch(/WARNING +redact: talkative\.ownr takes/);
});
