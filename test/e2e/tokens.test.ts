/** Tokens as an operator has them: made and revoked by the command line, while several servers run on one bucket. */
import { expect, test } from 'vitest';
import { startApi } from '../support/api-process.ts';
import { eventually } from '../support/eventually.ts';
import { node, run } from '../support/process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const main = 'api/main.ts';

async function names(url: string, secret: string): Promise<unknown> {
  const headers = { authorization: `Bearer ${secret}` };
  const response = await fetch(`${url}?query={viewer{name}}`, { headers });
  const { data, errors } = await response.json();
  return data?.viewer.name ?? errors[0].message;
}

test('made, used, listed and revoked, on every server', async () => {
  const folder = await temporaryFolder();
  const stores = { BUCKET_URL: `file:${folder}/bucket` };
  const token = (...args: string[]) => run(node, [main, 'token', ...args], { env: { HOST: '', ...stores } });
  expect(await token('list')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^there are no tokens/),
  });

  const index = (name: string) => ({ ...stores, INDEX_URL: `sqlite:${folder}/${name}.db`, AUTH: 'required' });
  const [here, there] = await Promise.all(
    ['here', 'there'].map((name) => startApi(folder, { env: index(name) })),
  );
  if (!here || !there) throw new Error('not started');
  await here.waitFor(/nobody can come in yet: make a token/);

  const made = await token(
    'create',
    '--name',
    'dashboard',
    '--scope',
    'read',
    '--label',
    'team=a',
    '--expires',
    '90d',
  );
  expect(made).toMatchObject({ code: 0, stderr: expect.stringMatching(/may read for team=a, until 20/) });
  const secret = made.stdout.trim();
  // At once, on servers that have never heard of it.
  expect(await names(here.url, secret)).toBe('dashboard');
  expect(await names(there.url, secret)).toBe('dashboard');

  const [listed] = JSON.parse((await token('list', '--json')).stdout);
  expect(listed).toMatchObject({ name: 'dashboard', kind: 'token', state: 'valid', scopes: ['read'] });
  expect(listed).not.toHaveProperty('hash');
  expect((await token('list')).stdout).toMatch(/^ID +NAME .*\n.* dashboard +token +read for team=a +valid /);

  expect(await token('revoke', listed.id)).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^revoked /),
  });
  for (const { url } of [here, there]) {
    await eventually('it is refused', async () => /has been revoked/.test(String(await names(url, secret))));
  }
  for (const { child } of [here, there]) child.kill('SIGTERM');
  await Promise.all([here.exit, there.exit]);
  // When it was used last is written as a server stops.
  const [after] = JSON.parse((await token('list', '--json')).stdout);
  expect(after).toMatchObject({ state: 'revoked', lastUsedAt: expect.stringMatching(/^20/) });
});

test('an API that others could reach does not start before it asks who they are', async () => {
  const { code, stdout, stderr } = await run(node, [main], { env: { HOST: '0.0.0.0', PORT: '0' } });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/AUTH: HOST is 0\.0\.0\.0.* Set AUTH=required/s);
});
