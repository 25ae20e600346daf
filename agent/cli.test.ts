import { expect, test } from 'vitest';
import { parseCommandLine } from './cli.ts';

test('reads a command with its options, in any order', () => {
  const none = {
    ...{ url: null, interval: null, output: null },
    labels: [],
    plugins: [],
    yes: false,
    force: false,
  };
  const rest = { json: false, logFormat: null, plugin: null, init: none };
  const expected = { is: 'command', command: 'once', configFile: 'a.json', stateFolder: '/s', ...rest };
  expect(parseCommandLine(['once', '--config', 'a.json', '--state=/s'])).toEqual(expected);
  expect(parseCommandLine(['--state', '/s', '--config=a.json', 'once'])).toEqual(expected);
  expect(parseCommandLine(['print'])).toMatchObject({
    command: 'print',
    configFile: null,
    stateFolder: null,
  });
});

test('reads the options of init', () => {
  const args = ['init', '--url', 'http://x/', '--label', 'a=b', '--label=c=d', '--plugin', 'cpu', '--yes'];
  expect(parseCommandLine([...args, '--interval', '5m', '--output', 'a.yaml', '--force'])).toMatchObject({
    command: 'init',
    init: {
      ...{ url: 'http://x/', interval: '5m', output: 'a.yaml', yes: true, force: true },
      ...{ labels: ['a=b', 'c=d'], plugins: ['cpu'] },
    },
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
  [['once', '--json'], 'option --json is for status, doctor, plugins test, and not for once'],
  [['run', '--log-format', 'yaml'], 'option --log-format must be json or pretty'],
  [['run', 'now'], 'unexpected argument "now"'],
  [['run', '--confg', 'x'], 'unknown option --confg, did you mean "--config"?'],
  [['run', '-x'], 'unknown option -x'],
  [['run', '--config'], 'option --config needs a value'],
  [['run', '--config', '--state', 'x'], 'option --config needs a value'],
  [['run', '--state='], 'option --state needs a value'],
  [['run', '--label', 'a=b'], 'option --label is for init, and not for run'],
  [['init', '--config', 'a.yaml'], 'init reads no config: --output says where to write one'],
  [['init', '--url'], 'option --url needs a value'],
  [['run', '--help=yes'], 'option --help takes no value'],
])('%j is wrong: %s', (args, message) => {
  expect(parseCommandLine(args)).toEqual({ is: 'wrong', message });
});
