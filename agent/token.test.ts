import { expect, test } from 'vitest';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import { readToken } from './token.ts';

test('the environment comes before the config', async () => {
  const from = { env: 'API_TOKEN' };
  expect(await readToken(from, {}, { API_TOKEN: 'abc' })).toMatchObject({ token: 'abc', problems: [] });
  expect(await readToken(from, { token: 'own' }, {})).toMatchObject({ token: 'own', problems: [] });
  expect(await readToken(null, {}, {})).toMatchObject({ token: null, problems: [] });
});

test.each([
  [{ env: 'API_TOKEN' }, {}, {}, 'api.token', /^is to be in API_TOKEN, which the environment does not have$/],
  [{ env: 'API_TOKEN' }, {}, { API_TOKEN: 's3 cret' }, 'api.token', /^holds a space or a character/],
  [null, { token: 's3 cret' }, {}, 'OS_INSPECTOR_TOKEN', /^holds a space or a character/],
  [{ file: '/not/there' }, {}, {}, 'api.token', /^is to be in \/not\/there, which is not there$/],
])('%j with %j and %j is a problem of %s', async (from, overrides, env, path, message) => {
  const { token, problems } = await readToken(from, overrides, env);
  expect(token).toBeNull();
  expect(problems).toEqual([{ path, message: expect.stringMatching(message) }]);
  expect(JSON.stringify(problems)).not.toContain('s3 cret');
});

test.skipIf(process.platform === 'win32')(
  'a file that everybody can read is told with its path',
  async () => {
    const folder = await temporaryFolder({ token: 'abc\n' });
    const { token, warnings } = await readToken({ file: `${folder}/token` }, {}, {});
    expect(token).toBe('abc');
    expect(warnings).toEqual([
      expect.stringMatching(/^api\.token: .*\/token holds a secret that every user/),
    ]);
  },
);
