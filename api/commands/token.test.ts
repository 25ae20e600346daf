/** What is wrong on the command line is told, with what to write instead. */
import { expect, test, vi } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import { runToken } from './token.ts';

test.each([
  [['create'], /a name must have from 1 to 200 characters/],
  [['create', '--name', 'x'], /a token needs a scope: submit, read, admin/],
  [['create', '--name', 'x', '--scope', 'write'], /"write" is no scope: there are submit, read, admin/],
  [['create', '--name', 'x', '--scope', 'read', '--host', 'web-1'], /by its id, a UUID, not "web-1"/],
  [['create', '--name', 'x', '--scope', 'read', '--label', 'team'], /--label must be NAME=VALUE, not "team"/],
  [
    ['create', '--name', 'x', '--scope', 'read', '--expires', 'soon'],
    /a length of time such as 90d, not "soon"/,
  ],
  [['create', '--name', 'x', '--enrol', '--uses', 'two'], /from 1 to 1000000/],
  [['create', '--name', 'x', '--enrol', '--scope', 'read'], /has no scope/],
  [['create', '--nam', 'x'], /Unknown option '--nam'/],
  [['make'], /no command token make/],
  [[], /say create, list or revoke/],
  [['revoke'], /the ids are in "os-inspector-api token list"/],
])('token %j says what to write instead', async (args, message) => {
  const folder = await temporaryFolder();
  const written: string[] = [];
  const stdout = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  const code = await runToken(args, { kind: 'folder', folder: `${folder}/bucket` });
  expect(code).toBe(2);
  expect(stdout).not.toHaveBeenCalled();
  vi.restoreAllMocks();
  expect(written.join('')).toMatch(message);
  expect(written.join('')).toMatch(/usage: os-inspector-api token create/);
});
