/** What compose.yaml and the images set, run without a container engine: who is let in, and how its agent comes by its credential. */
import { readFileSync } from 'node:fs';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { defaultLoaders } from 'cosmiconfig';
import { expect, test } from 'vitest';
import { runAgent } from '../support/agent-process.ts';
import { answerOf, startApi } from '../support/api-process.ts';
import { authorityFiles } from '../support/authority.ts';
import { node, repository, run } from '../support/process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const textOf = (file: string) => readFileSync(join(repository, file), 'utf8');
const { services } = defaultLoaders['.yaml']('compose.yaml', textOf('compose.yaml'));
const agentConfig = textOf('packaging/docker/agent.config.yaml');

test('its agent enrols with a secret that is good once, and nobody else is let in', async () => {
  const folder = await temporaryFolder();
  const stores = { BUCKET_URL: `file:${folder}/bucket` };
  const volume = join(folder, 'enrolment');
  await mkdir(volume);

  const { entrypoint, command } = services.enrolment;
  const [shell = '', ...options] = entrypoint as string[];
  const script = String(command[0])
    .replaceAll('/var/lib/os-inspector', volume)
    .replaceAll('/opt/os-inspector/dist/api/main.js', join(repository, 'api/main.ts'));
  const PATH = `${dirname(node)}${delimiter}${process.env.PATH}`;
  const made = await run(shell, [...options, script], { env: { ...stores, PATH } });
  expect(made).toMatchObject({
    code: 0,
    stdout: '',
    stderr: expect.stringMatching(/may enrol 0 of 1 hosts/),
  });
  expect((await stat(join(volume, 'enrolment'))).mode & 0o777).toBe(0o600);

  const { AUTH } = services.api.environment;
  const { url } = await startApi(folder, { env: { AUTH, ...stores } });
  const stranger = await answerOf(url, '{ hosts { totalCount } }');
  expect(stranger.errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);

  const config = agentConfig
    .replace('http://127.0.0.1:4000/graphql', url)
    .replace('/run/os-inspector', volume);
  const host = async (name: string) => {
    const cwd = join(folder, name);
    await mkdir(cwd);
    await writeFile(join(cwd, 'agent.config.yaml'), `${config}\nplugins: [os]\n`);
    return runAgent(['once'], { cwd });
  };
  expect(await host('first')).toMatchObject({ code: 0, stdout: 'success\n' });
  expect(await host('second')).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/used as often as it may be/),
  });

  // What it was given goes on without the secret.
  await rm(join(volume, 'enrolment'));
  const again = await runAgent(['once'], { cwd: join(folder, 'first') });
  expect(again).toMatchObject({ code: 0, stdout: 'success\n' });
});

test('the health check of the image knows a process that answers, by HTTP and by HTTPS, from one that does not', async () => {
  const dockerfile = textOf('packaging/docker/api.Dockerfile');
  const [, check = ''] = /^HEALTHCHECK .*CMD (\[.*\])$/m.exec(dockerfile) ?? [];
  const [program, ...args] = JSON.parse(check);
  expect(program).toBe('node');
  const tls = { TLS_CERT: authorityFiles.serverCert, TLS_KEY: authorityFiles.serverKey };
  for (const env of [{}, tls]) {
    const api = await startApi(await temporaryFolder(), { env: { AUTH: 'required', ...env } });
    const { port: PORT } = new URL(api.url);
    const check = () => run(node, args, { env: { ...env, PORT } });
    expect(await check()).toMatchObject({ code: 0, stderr: '' });
    api.child.kill('SIGTERM');
    await api.exit;
    expect(await check()).toMatchObject({ code: 1, stderr: '' });
  }
});
