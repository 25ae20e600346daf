import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { agentReport } from '../../test/support/agent-reports.ts';
import { startEnrollingApi } from '../../test/support/enrolling-api.ts';
import { recordingLog } from '../../test/support/recording-log.ts';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import { connect } from '../submit.ts';
import { type EnrolmentParts, enrolledCredentials } from './enrolment.ts';
import { credentialFile, readCredential } from './stored-credential.ts';

const stop = new AbortController().signal;
const secret = 'osi_e_planted';
const { host } = agentReport(0, []);

async function world({ uses = 1 } = {}) {
  const api = await startEnrollingApi(secret, uses);
  const stateFolder = await temporaryFolder();
  const log = recordingLog();
  const time = { now: Date.UTC(2026, 0, 1) };
  const to = (parts: Partial<EnrolmentParts> = {}) => {
    const { url } = parts.api ?? api;
    const credentials = enrolledCredentials({
      ...{ mode: 'enrol', api: { url }, secret, hostId: host.id, stateFolder, log },
      ...{ hostName: async () => 'web-1', now: () => time.now, ...parts },
    });
    return connect({ url, credentials });
  };
  const file = credentialFile(stateFolder);
  return { api, stateFolder, file, log, time, to };
}

const report = () => agentReport(Math.floor(Math.random() * 1e6), []);

test('a host enrols with its first report, keeps what it was given, and shows that from then on', async () => {
  const { api, file, stateFolder, log, to } = await world();
  const first = to();
  await first.submit(report(), stop);
  await first.submit(report(), stop);
  await to({ secret: null }).submit(report(), stop);
  expect(api.taken).toHaveLength(3);
  expect(api.enrolments().map(({ variables }) => variables)).toEqual([
    { hostId: host.id, hostName: 'web-1' },
  ]);
  const credential = api.credentials.get(host.id);
  expect(await readCredential(stateFolder)).toEqual({
    ...{ hostId: host.id, url: api.url, credential, expiresAt: null },
  });
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await readdir(stateFolder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  const shown = api.requests.slice(1).map(({ headers }) => headers.authorization);
  expect(new Set(shown)).toEqual(new Set([`Bearer ${credential}`]));
  expect(JSON.stringify(log)).toContain('host enrolled');
  expect(JSON.stringify(log)).not.toMatch(/osi_[eh]_/);
});

test('several that start at once enrol once', async () => {
  const { api, to } = await world();
  await Promise.all([to(), to(), to()].map((agent) => agent.submit(report(), stop)));
  expect(api.enrolments()).toHaveLength(1);
  expect(api.taken).toHaveLength(3);
});

test('another host id, another API, and a credential that has expired want another one', async () => {
  const { api, file, time, to } = await world({ uses: 3 });
  await to().submit(report(), stop);
  const cloned = '0195d3a0-0000-4000-8000-00000000c10e';
  const ofClone = { ...report(), host: { ...host, id: cloned } };
  await to({ hostId: cloned }).submit(ofClone, stop);
  expect(api.credentials.get(cloned)).not.toBe(api.credentials.get(host.id));
  const stored = JSON.parse(await readFile(file, 'utf8'));
  await writeFile(file, JSON.stringify({ ...stored, expiresAt: new Date(time.now).toISOString() }));
  await to({ hostId: cloned }).submit(ofClone, stop);
  expect(api.enrolments()).toHaveLength(3);
  const elsewhere = await startEnrollingApi(secret);
  await to({ api: { url: elsewhere.url } }).submit(report(), stop);
  expect(elsewhere.enrolments()).toHaveLength(1);
  expect(elsewhere.requests.map(({ headers }) => headers.authorization)).not.toContain(
    `Bearer ${api.credentials.get(host.id)}`,
  );
});

test('a credential that is refused is renewed once, then not before a while', async () => {
  const { api, time, to } = await world({ uses: 9 });
  const agent = to();
  await agent.submit(report(), stop);
  api.credentials.clear();
  await agent.submit(report(), stop);
  expect(api.enrolments()).toHaveLength(2);
  api.credentials.clear();
  await expect(agent.submit(report(), stop)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  expect(api.enrolments()).toHaveLength(2);
  time.now += 60_000;
  await agent.submit(report(), stop);
  api.credentials.clear();
  time.now += 60_000;
  await expect(agent.submit(report(), stop)).rejects.toThrow('at most once a minute');
  time.now += 60_000;
  await agent.submit(report(), stop);
  expect(api.enrolments()).toHaveLength(4);
});

test('one that another process was given since is used, and enrolling again spared', async () => {
  const { api, to } = await world({ uses: 2 });
  const [daemon, once] = [to(), to()];
  await daemon.submit(report(), stop);
  api.credentials.clear();
  await once.submit(report(), stop);
  await daemon.submit(report(), stop);
  expect(api.enrolments()).toHaveLength(2);
});

test('a secret that is used up says what to do, and shows nothing', async () => {
  const { file, to } = await world({ uses: 0 });
  const failure = await to()
    .submit(report(), stop)
    .catch((error) => error);
  expect(failure).toMatchObject({ code: 'UNAUTHENTICATED' });
  expect(failure.message).toContain('api.enrolment or OS_INSPECTOR_ENROLMENT is wrong, used up');
  expect(failure.message + failure.stack + JSON.stringify(failure)).not.toContain(secret);
  await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('trying shows whether the secret is good, and uses nothing up', async () => {
  const { api, file, to } = await world();
  await to({ mode: 'try' }).ping(stop);
  await to({ mode: 'try', hostId: null }).ping(stop);
  expect(api.enrolments()).toHaveLength(0);
  await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(to({ mode: 'try', secret: 'osi_e_other' }).ping(stop)).rejects.toThrow('api.enrolment');
  await expect(to({ secret: null }).ping(stop)).rejects.toThrow('set api.enrolment to an enrolment secret');
});

test('what is damaged is replaced, and what others may read is closed to them', async () => {
  const { api, file, to } = await world({ uses: 2 });
  await to().submit(report(), stop);
  await writeFile(file, '{"hostId":');
  await to().submit(report(), stop);
  expect(api.enrolments()).toHaveLength(2);
  await chmod(file, 0o644);
  await to().submit(report(), stop);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test('a folder that cannot be written costs no use of the secret', async () => {
  const { api, to } = await world();
  const file = join(await temporaryFolder({ taken: '' }), 'taken');
  await expect(to({ stateFolder: file }).submit(report(), stop)).rejects.toThrow(
    /^this host cannot be enrolled: .*--state$/,
  );
  expect(api.enrolments()).toHaveLength(0);
});

test('reports of another host wait, and the reason names it', async () => {
  const { to } = await world();
  const agent = to();
  const own = report();
  const other = { ...report(), host: { ...host, id: '0195d3a0-0000-4000-8000-00000000000f' } };
  await expect(agent.submit(other, stop)).rejects.toMatchObject({ code: 'FORBIDDEN' });
  const outcomes = await agent.submitMany([own, other], stop);
  expect(outcomes).toMatchObject([
    { reportId: own.id },
    { code: 'FORBIDDEN', message: expect.stringContaining(`of host ${host.id} alone`) },
  ]);
});
