import { expect, test } from 'vitest';
import { parseCommandLine } from './cli.ts';

test('reads a command with its options, in any order', () => {
  const rest = { json: false, logFormat: null, plugin: null };
  const expected = { is: 'command', command: 'once', configFile: 'a.json', stateFolder: '/s', ...rest };
  expect(parseCommandLine(['once', '--config', 'a.json', '--state=/s'])).toEqual(expected);
  expect(parseCommandLine(['--state', '/s', '--config=a.json', 'once'])).toEqual(expected);
  expect(parseCommandLine(['print'])).toMatchObject({
    command: 'print',
    configFile: null,
    stateFolder: null,
  });
});

test('a command of two words has an argument, and some options are for some commands', () => {
  expect(parseCommandLine(['plugins', 'test', './rack.ts', '--json'])).toMatchObject({
    ...{ command: 'plugins test', plugin: './rack.ts', json: true },
  });
  expect(parseCommandLine(['run', '--log-format=pretty'])).toMatchObject({ logFormat: 'pretty' });
});

test('help and version need no command', () => {
  expect(parseCommandLine(['--help'])).toEqual({ is: 'help' });
  expect(parseCommandLine(['run', '-h'])).toEqual({ is: 'help' });
  expect(parseCommandLine(['--version'])).toEqual({ is: 'version' });
});

test.each([
  [[], 'a command is missing'],
  [['prnt'], 'unknown command "prnt", did you mean "print"?'],
  [['zzzzzzzz'], 'unknown command "zzzzzzzz"'],
  [['plugins', 'test'], 'plugins test needs the name of a plugin'],
  [['plugins', 'test', 'a', 'b'], 'unexpected argument "b"'],
  [['plugins', 'tset'], 'unexpected argument "tset"'],
  [['once', '--json'], 'option --json is for status, doctor, plugins test'],
  [['run', '--log-format', 'yaml'], 'option --log-format must be json or pretty'],
  [['run', 'now'], 'unexpected argument "now"'],
  [['run', '--confg', 'x'], 'unknown option --confg, did you mean "--config"?'],
  [['run', '-x'], 'unknown option -x'],
  [['run', '--config'], 'option --config needs a value'],
  [['run', '--config', '--state', 'x'], 'option --config needs a value'],
  [['run', '--state='], 'option --state needs a value'],
  [['run', '--help=yes'], 'option --help takes no value'],
])('%j is wrong: %s', (args, message) => {
  expect(parseCommandLine(args)).toEqual({ is: 'wrong', message });
});
