import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hostWith } from '../test/support/agent-host.ts';
import { runAgent, startAgent } from '../test/support/agent-process.ts';
import { respond, startStubApi } from '../test/support/stub-api.ts';

const token = 'pl4nted-t0ken';
const password = 'pl4nted-passw0rd';

/** As careless as can be: prints, throws and reports its options. */
const careless = `import { definePlugin, secret, text, z } from 'os-inspector/plugin';
  export default definePlugin({
    name: 'careless', version: 1, description: 'Says what it was given',
    facts: { told: text('Its options'), length: text('Of what it asked for') },
    options: z.strictObject({ password: secret(), fails: z.boolean().default(false) }),
    async collect({ options }) {
      console.log('options are', options, JSON.stringify(options));
      if (options.fails) throw new Error('no login with ' + JSON.stringify(options) + options.password);
      return { told: JSON.stringify(options), length: String(options.password.reveal().length) };
    },
  });`;

async function host(url: string, fails: boolean): Promise<string> {
  const cwd = await hostWith({}, { 'careless.ts': careless, token: `${token}\n` });
  await chmod(join(cwd, 'token'), 0o600);
  const config = {
    api: { url, token: { file: join(cwd, 'token') } },
    plugins: [{ use: './careless.ts', options: { password: { env: 'PASSWORD' }, fails } }],
  };
  await writeFile(join(cwd, 'agent.config.json'), JSON.stringify(config));
  return cwd;
}

test('a secret reaches who needs it, and is shown nowhere', async () => {
  const api = await startStubApi();
  const env = { PASSWORD: password };
  const all: string[] = [];
  for (const fails of [false, true]) {
    const cwd = await host(api.url, fails);
    for (const command of ['once', 'print', 'check', 'plugins']) {
      const exit = await runAgent([command], { cwd, env });
      expect(exit).toMatchObject({ code: 0 });
      all.push(exit.stdout, exit.stderr);
    }
    const agent = startAgent(['run'], { cwd, env });
    await agent.waitFor(/report submitted/);
    agent.child.kill('SIGTERM');
    all.push((await agent.exit).stdout, agent.output());
  }
  expect(new Set(api.requests.map(({ headers }) => headers.authorization))).toEqual(
    new Set([`Bearer ${token}`]),
  );
  const { results } = api.requests[0]?.variables.input ?? {};
  expect(results[0].facts).toEqual({
    told: '{"fails":false,"password":"[secret]"}',
    length: String(password.length),
  });
  all.push(JSON.stringify(api.requests.map(({ variables }) => variables)));
  expect(all.join()).toMatch(/no login with .*\[secret\].*\[secret\]/);
  expect(all.join()).not.toMatch(/pl4nted/);
});

test('a server that says no, and secrets that are not there, show none either', async () => {
  const api = await startStubApi((_request, response) => respond(response, 401, 'who are you?'));
  const cwd = await host(api.url, false);
  const refused = await runAgent(['check'], { cwd, env: { PASSWORD: password } });
  expect(refused).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('is the token right, of api.token'),
  });
  await writeFile(join(cwd, 'token'), `${token} ${token}`);
  const wrong = await runAgent(['check'], { cwd });
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain('api.token: holds a space or a character that no HTTP header can carry');
  expect(wrong.stderr).toContain(
    'plugins.0.options.password: is to be in PASSWORD, which the environment does not have',
  );
  expect(refused.stdout + refused.stderr + wrong.stderr).not.toMatch(/pl4nted/);
});

test.skipIf(process.platform === 'win32')('a file that everybody can read is a warning', async () => {
  const api = await startStubApi();
  const cwd = await host(api.url, false);
  await chmod(join(cwd, 'token'), 0o644);
  const exit = await runAgent(['check'], { cwd, env: { PASSWORD: password } });
  expect(exit).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/^warning: api\.token: .* chmod o-r it\n$/),
  });
});

test.skipIf(process.platform === 'win32')(
  'so is one of a plugin and of a command, in the log where there is one',
  async () => {
    const api = await startStubApi();
    const cwd = await host(api.url, false);
    const files = ['password', 'key'].map((name) => join(cwd, name)) as [string, string];
    for (const file of files) {
      await writeFile(file, password);
      await chmod(file, 0o644);
    }
    const command = ['/bin/sh', '-c', 'echo "{\\"length\\": $(printf %s "$KEY" | wc -c)}"'];
    const config = {
      api: { url: api.url },
      plugins: [
        { use: './careless.ts', options: { password: { file: files[0] } } },
        { use: 'exec', name: 'keyed', options: { command, env: { KEY: { file: files[1] } } } },
      ],
    };
    await writeFile(join(cwd, 'agent.config.json'), JSON.stringify(config));
    const told = files.map(
      (file) => `${file} holds a secret that every user of this host can read: chmod o-r it`,
    );
    const { stderr, code } = await runAgent(['check'], { cwd });
    expect(code).toBe(0);
    expect(stderr.trim().split('\n').sort()).toEqual(told.map((text) => `warning: ${text}`).sort());
    const agent = startAgent(['run'], { cwd });
    await agent.waitFor(/report submitted/);
    agent.child.kill('SIGTERM');
    const exit = await agent.exit;
    const causes = exit.stdout
      .split('\n')
      .flatMap((line) => (line.includes('"level":40') ? [JSON.parse(line).cause] : []));
    expect(causes.sort()).toEqual(told.sort());
    expect(exit.stderr).not.toContain('holds a secret');
    const [, keyed] = api.requests.at(-1)?.variables.input.results ?? [];
    expect(keyed).toMatchObject({ status: 'OK', facts: { length: password.length } });
    expect(agent.output()).not.toContain(password);
  },
);

test.each([
  ['agent.config.json', `{ "api": { "token": "${token}" },, }`],
  ['agent.config.json', `{\n  "api": {\n    "token": ${token} } }`],
  ['agent.config.yaml', `api:\n  token: ${token}\n :`],
])('a config that cannot be parsed is not quoted (%s)', async (name, text) => {
  const cwd = await hostWith({}, { [name]: text });
  const exit = await runAgent(['check', '--config', name], { cwd });
  expect(exit).toMatchObject({ code: 2, stderr: expect.stringContaining(`cannot read config file`) });
  expect(exit.stderr).toMatch(/line \d|\(\d+:\d+\)/);
  expect(exit.stderr).not.toContain(token.slice(-6));
  expect(exit.stderr).not.toContain(token.slice(0, 4));
});
