import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import { secret, z } from './plugin.ts';
import { readSecret, Secret } from './secret.ts';

const planted = 'pl4nted-s3cret';

async function secretFile(text: string, mode = 0o600): Promise<string> {
  const file = join(await temporaryFolder(), 'token');
  await writeFile(file, text);
  await chmod(file, mode);
  return file;
}

test('a secret is read from the environment', async () => {
  const { secret: read, warning } = await readSecret({ env: 'TOKEN' }, { TOKEN: planted });
  expect([read.reveal(), warning]).toEqual([planted, null]);
});

test.each(['\n', '\r\n', ''])(
  'a secret is read from a file without the end of its line (%j)',
  async (end) => {
    const { secret: read, warning } = await readSecret({ file: await secretFile(planted + end) }, {});
    expect([read.reveal(), warning]).toEqual([planted, null]);
  },
);

test.skipIf(process.platform === 'win32')('a file that everybody can read is told', async () => {
  const file = await secretFile(planted, 0o644);
  const { warning } = await readSecret({ file }, {});
  expect(warning).toBe(`${file} holds a secret that every user of this host can read: chmod o-r it`);
  expect((await readSecret({ file: await secretFile(planted, 0o640) }, {})).warning).toBeNull();
});

test('what is not there says what is missing', async () => {
  const folder = await temporaryFolder();
  const failures = [
    [{ env: 'NOT_SET' }, /^is to be in NOT_SET, which the environment does not have$/],
    [{ file: join(folder, 'none') }, /none, which is not there$/],
    [{ file: folder }, /which is no file$/],
    [{ file: await secretFile('\n') }, /which is empty$/],
    [{ file: await secretFile('x'.repeat(100_000)) }, /which is too large for a secret$/],
  ] as const;
  for (const [reference, message] of failures) {
    await expect(readSecret(reference, {})).rejects.toThrow(message);
  }
});

test('it is shown nowhere but to who asks for it', () => {
  const options = { token: new Secret(planted) };
  const seen = [
    `${options.token}`,
    JSON.stringify(options),
    inspect(options, { showHidden: true }),
    String(options),
  ];
  for (const text of seen) expect(text).not.toContain(planted);
  expect(JSON.stringify(options)).toBe('{"token":"[secret]"}');
  expect(options.token.reveal()).toBe(planted);
});

test('a plugin option takes a reference, and a literal is refused without being shown', async () => {
  const schema = z.strictObject({ token: secret() });
  const read = await schema.parseAsync({ token: { file: await secretFile(planted) } });
  expect(read.token.reveal()).toBe(planted);
  for (const token of [planted, { env: 'A b' }, { file: 'relative' }, { env: 'A', file: '/b' }]) {
    const { error } = await schema.safeParseAsync({ token });
    expect(error?.issues).toHaveLength(1);
    expect(JSON.stringify(error?.issues)).not.toContain(planted);
  }
  const { error } = await schema.safeParseAsync({ token: planted });
  expect(error?.issues[0]?.message).toMatch(/^must be { "env": "NAME" } or { "file": "\/path" }/);
  const missing = await schema.safeParseAsync({ token: { file: '/not/there' } });
  expect(missing.error?.issues[0]?.message).toBe('is to be in /not/there, which is not there');
});
