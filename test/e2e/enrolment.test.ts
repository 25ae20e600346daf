/** An agent that enrols at a real API: it may send reports of its own host, and no secret is found anywhere after. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runAgent } from '../support/agent-process.ts';
import { startApi } from '../support/api-process.ts';
import { node, run } from '../support/process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** All that lies in a folder, as text; what is compressed would hide a secret, and is unpacked by who reads it. */
async function textOf(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const texts = await Promise.all(
    files.map(({ parentPath, name }) => readFile(join(parentPath, name), 'latin1')),
  );
  return texts.join('\n');
}

test('enrols, reports, is revoked, and tells what to do', async () => {
  const folder = await temporaryFolder();
  const stores = { BUCKET_URL: `file:${folder}/bucket`, INDEX_URL: `sqlite:${folder}/index.db` };
  const token = async (...args: string[]) => {
    const { stdout } = await run(node, ['api/main.ts', 'token', ...args], { env: { HOST: '', ...stores } });
    return stdout.trim();
  };
  const api = await startApi(folder, { env: { AUTH: 'required' } });
  const enrolment = await token('create', '--name', 'new hosts', '--enrol', '--uses', '1');
  const reader = await token('create', '--name', 'reader', '--scope', 'read');
  const ask = async (query: string) => {
    const headers = { authorization: `Bearer ${reader}`, 'content-type': 'application/json' };
    const response = await fetch(api.url, { method: 'POST', headers, body: JSON.stringify({ query }) });
    return (await response.json()).data;
  };

  const config = JSON.stringify({ api: { url: api.url }, plugins: ['user', 'os'], redact: ['user.name'] });
  const agent = async (home: string, env: Record<string, string> = {}) =>
    runAgent(['once', '--state', join(home, 'state')], { cwd: home, env });
  const [home, other] = await Promise.all([1, 2].map(() => temporaryFolder({ 'agent.config.json': config })));
  if (!home || !other) throw new Error('no folders');

  // A stranger is refused, and keeps what it has to say.
  const refused = await agent(home);
  expect(refused).toMatchObject({ code: 1, stdout: expect.stringMatching(/^error: .*UNAUTHENTICATED/) });
  expect(await ask('{ reports { totalCount } }')).toEqual({ reports: { totalCount: 0 } });

  expect(await agent(home, { OS_INSPECTOR_ENROLMENT: enrolment })).toMatchObject({
    code: 0,
    stdout: 'success\n',
  });
  // The secret may go.
  expect(await agent(home)).toMatchObject({ code: 0, stdout: 'success\n' });
  const { hosts } = await ask('{ hosts { nodes { user { name } os { platform } reports { totalCount } } } }');
  expect(hosts.nodes).toHaveLength(1);
  expect(hosts.nodes[0]).toMatchObject({ user: { name: null }, os: { platform: 'linux' } });

  // It was for one host.
  const second = await agent(other, { OS_INSPECTOR_ENROLMENT: enrolment });
  expect(second).toMatchObject({ code: 1, stdout: expect.stringMatching(/used as often as it may be/) });

  const listed = JSON.parse(await token('list', '--json'));
  const own = listed.find(({ kind }: { kind: string }) => kind === 'host');
  await token('revoke', own.id);
  await expect.poll(async () => (await agent(home)).stdout, { timeout: 45_000 }).toMatch(/revoked/);

  api.child.kill('SIGTERM');
  await api.exit;
  const credential = JSON.parse(await readFile(join(home, 'state/credential.json'), 'utf8'));
  const secrets = [enrolment, reader, ...JSON.stringify(credential).matchAll(/osi_h_[\w-]{43}/g)].map(String);
  expect(secrets).toHaveLength(3);
  const places = [
    api.output(),
    await textOf(folder),
    refused.stdout,
    refused.stderr,
    second.stdout,
    second.stderr,
  ];
  for (const secret of secrets) for (const place of places) expect(place).not.toContain(secret.slice(6));
});
