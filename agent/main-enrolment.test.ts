import { chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { runAgent, startAgent } from '../test/support/agent-process.ts';
import { type EnrollingApi, startEnrollingApi } from '../test/support/enrolling-api.ts';
import { eventually } from '../test/support/eventually.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';

const secret = 'osi_e_pl4nted';

async function host(api: EnrollingApi, more: object = {}) {
  const cwd = await temporaryFolder({ secret: `${secret}\n` });
  const file = join(cwd, 'secret');
  await chmod(file, 0o600);
  const config = {
    api: { url: api.url, enrolment: { file } },
    ...{ interval: '1s', plugins: ['os'], ...more },
  };
  await writeFile(join(cwd, 'agent.config.json'), JSON.stringify(config));
  return { cwd, file, state: join(cwd, 'state'), credential: join(cwd, 'state/credential.json') };
}

async function deadLetters(state: string): Promise<string[]> {
  return readdir(join(state, 'dead-letter')).catch(() => []);
}

/** Everything that the agent wrote, spooled reports unpacked; the credential's own file left out. */
async function written(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const texts = entries
    .filter((entry) => entry.isFile() && entry.name !== 'credential.json')
    .map(async ({ parentPath, name }) => {
      const data = await readFile(join(parentPath, name));
      const packed = data.subarray(data.indexOf('\n') + 1);
      return name.endsWith('.report') ? `${data} ${zstdDecompressSync(packed)}` : data.toString('latin1');
    });
  return (await Promise.all(texts)).join('\n');
}

test('check uses nothing up; once enrols; then neither the secret nor its file is needed', async () => {
  const api = await startEnrollingApi(secret);
  const { cwd, file, credential } = await host(api);
  const before = await runAgent(['check'], { cwd });
  expect(before).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('enrolment: this host is not enrolled yet: "run" and "once" enrol it'),
  });
  expect(api.enrolments()).toHaveLength(0);
  expect(await runAgent(['once'], { cwd })).toMatchObject({ code: 0, stdout: 'success\n' });
  expect((await stat(credential)).mode & 0o777).toBe(0o600);
  await rm(file);
  const again = await runAgent(['once'], { cwd });
  expect(again).toMatchObject({ code: 0, stderr: expect.stringContaining('; this host is enrolled') });
  const after = await runAgent(['check'], { cwd });
  expect(after.stdout).toContain('enrolment: this host is enrolled\n');
  expect(api.enrolments()).toHaveLength(1);
  expect(api.taken).toHaveLength(2);
});

test('the environment has the secret, and a token comes before both', async () => {
  const api = await startEnrollingApi(secret);
  api.tokens.add('osi_t_pl4nted');
  const { cwd, credential } = await host(api, { api: { url: api.url } });
  const env = { OS_INSPECTOR_ENROLMENT: secret, OS_INSPECTOR_TOKEN: 'osi_t_pl4nted' };
  expect(await runAgent(['once'], { cwd, env })).toMatchObject({ code: 0 });
  expect(api.enrolments()).toHaveLength(0);
  const none = await runAgent(['once'], { cwd });
  expect(none).toMatchObject({ code: 1, stdout: expect.stringContaining('set api.enrolment') });
  const { OS_INSPECTOR_ENROLMENT } = env;
  expect(await runAgent(['once'], { cwd, env: { OS_INSPECTOR_ENROLMENT } })).toMatchObject({ code: 0 });
  expect(JSON.parse(await readFile(credential, 'utf8')).credential).toBe([...api.credentials.values()][0]);
});

test('the daemon keeps its reports until a secret that was wrong is put right, and none is lost', async () => {
  const api = await startEnrollingApi('osi_e_other');
  const { cwd, file, state } = await host(api);
  const agent = startAgent(['run'], { cwd });
  await agent.waitFor(/"waiting":(?:[2-9]|[1-9]\d)/);
  // It is written a moment after the log is.
  await eventually('status tells', async () => {
    const { code, stdout } = await runAgent(['status'], { cwd });
    return code === 1 && stdout.includes('api.enrolment');
  });
  const doctor = await runAgent(['doctor'], { cwd });
  expect(doctor.code).toBe(1);
  expect(doctor.stdout).toMatch(/FAILED +api: .*api\.enrolment or OS_INSPECTOR_ENROLMENT is wrong/);
  expect(doctor.stdout).toMatch(/OK +enrolment: this host is not enrolled yet/);
  const waiting = (await readdir(join(state, 'spool'))).filter((name) => name.endsWith('.report'));
  expect(waiting.length).toBeGreaterThan(1);
  await writeFile(file, 'osi_e_other\n');
  // An event of the file may be missed, which a look each minute is for.
  agent.child.kill('SIGHUP');
  await agent.waitFor(/host enrolled/);
  await agent.waitFor(/report submitted/);
  expect(await deadLetters(state)).toEqual([]);
  agent.child.kill('SIGTERM');
  await agent.exit;
  // At once, where the daemon takes its time.
  expect(await runAgent(['once'], { cwd })).toMatchObject({ code: 0 });
  const ids = waiting.map((name) => name.replace('.report', ''));
  expect(api.taken).toEqual(expect.arrayContaining(ids));
});

test('the daemon enrols again when its credential is revoked; when it may not, it says what to do', async () => {
  const api = await startEnrollingApi(secret, 2);
  const { cwd, state } = await host(api);
  const agent = startAgent(['run'], { cwd });
  await agent.waitFor(/report submitted/);
  api.credentials.clear();
  await eventually('enrolled again', () => api.enrolments().length === 2);
  await eventually('reports go on', () => api.credentials.size === 1 && api.taken.length > 2);
  api.credentials.clear();
  await agent.waitFor(/is revoked; \\"run\\" enrols this host again/);
  await eventually('status tells', async () => {
    const { code, stdout } = await runAgent(['status'], { cwd });
    return code === 1 && stdout.includes('is revoked');
  });
  expect(await deadLetters(state)).toEqual([]);
  agent.child.kill('SIGTERM');
  await agent.exit;
});

test('doctor tells of the enrolment, and of a credential for somewhere else', async () => {
  const api = await startEnrollingApi(secret);
  const { cwd, credential } = await host(api);
  await runAgent(['once'], { cwd });
  const well = await runAgent(['doctor'], { cwd });
  expect(well.stdout).toMatch(
    /OK +enrolment: host [0-9a-f-]{36} is enrolled; its credential does not expire/,
  );
  expect(well.stdout).toMatch(/OK +token: the API answers with it/);
  await chmod(credential, 0o644);
  expect((await runAgent(['doctor'], { cwd })).stdout).toContain(`-> chmod 600 ${credential}`);
  const elsewhere = await startEnrollingApi(secret, 0);
  const config = { api: { url: elsewhere.url }, plugins: ['os'] };
  await writeFile(join(cwd, 'agent.config.json'), JSON.stringify(config));
  const other = await runAgent(['doctor'], { cwd });
  expect(other.code).toBe(1);
  expect(other.stdout).toMatch(/FAILED +enrolment: .*is of another host or another API/);
  expect(elsewhere.requests.every(({ headers }) => !headers.authorization)).toBe(true);
});

test('no command, log, status, metric or file of the state folder shows a secret', async () => {
  const api = await startEnrollingApi(secret, 2);
  const metricsAt = '127.0.0.1:0';
  const { cwd, state } = await host(api, {
    ...{ log: { level: 'info', format: 'json' }, metrics: { listen: metricsAt } },
  });
  const agent = startAgent(['run'], { cwd });
  const [, metrics = ''] = await agent.waitFor(/"url":"(http:[^"]*)","msg":"metrics/);
  await agent.waitFor(/report submitted/);
  // Refused as enrolled, refused as a secret, and not reached at all: each has errors of its own.
  api.credentials.clear();
  await eventually('enrolled again', () => api.enrolments().length === 2);
  const given = [...api.credentials.values()];
  api.credentials.clear();
  await agent.waitFor(/is revoked/);
  const all = [agent.output(), await (await fetch(metrics)).text()];
  for (const args of [
    ['status'],
    ['status', '--json'],
    ['check'],
    ['doctor'],
    ['print'],
    ['plugins'],
    ['once'],
  ]) {
    const { stdout, stderr } = await runAgent(args, { cwd });
    all.push(stdout, stderr);
  }
  agent.child.kill('SIGTERM');
  all.push((await agent.exit).stdout, await written(state));
  const text = all.join('\n');
  expect(text).toContain('"code":"UNAUTHENTICATED"');
  expect(given).toHaveLength(1);
  for (const part of [secret, 'pl4nted', ...given, 'osi_h_']) expect(text).not.toContain(part);
});
