/** cli: the agent's command line: what it may say, what it means, and the usage text. */
import { parseArgs } from 'node:util';
import { didYouMean } from '../plugins/did-you-mean.ts';

/** What each command does, as the usage text shows it. */
export const commands = {
  run: 'collects and submits a report at once and then every interval, until it is stopped',
  once: 'submits one report; prints "success", or "error: …"',
  print: 'collects a report and prints it as JSON; sends nothing',
  check: 'shows every problem of the config, then whether the API answers',
  plugins: 'shows what each configured plugin collects',
} as const;

export type CommandName = keyof typeof commands;
const commandNames = Object.keys(commands) as CommandName[];

/** What a process ends with; the whole of what the commands promise. */
export const exitCodes = { done: 0, failed: 1, wrongInput: 2 } as const;

export type CommandLine =
  | { is: 'command'; command: CommandName; configFile: string | null; stateFolder: string | null }
  | { is: 'help' }
  | { is: 'version' }
  | { is: 'wrong'; message: string };

const options = {
  config: { type: 'string' },
  state: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const;
const optionNames = Object.keys(options);

export const usage = `usage: os-inspector-agent <command> [--config FILE] [--state FOLDER]

commands:
${commandNames.map((name) => `  ${name.padEnd(8)}  ${commands[name]}`).join('\n')}

options:
  --config FILE   the config to use, instead of looking for one
  --state FOLDER  where the agent keeps its host id and reports that wait
  --help          shows this text
  --version       shows the version

environment:
  OS_INSPECTOR_URL    address of the API, before the config's api.url
  OS_INSPECTOR_TOKEN  sent to the API as a bearer token, before the config's api.token
  API_IP, API_PORT    together mean http://$API_IP:$API_PORT/graphql
  HOST_ROOT           where the host's file system is mounted, in a container

exit codes: 0 done, 1 failed, 2 the command line or the config is wrong
`;

/** @param args what follows the program's name */
export function parseCommandLine(args: readonly string[]): CommandLine {
  // Not strict: parseArgs stops at the first fault, and its messages know no near miss.
  const { values, positionals, tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const fault = optionFault(token.name, token.rawName, token.value, token.inlineValue);
    if (fault) return { is: 'wrong', message: fault };
  }
  if (values.help) return { is: 'help' };
  if (values.version) return { is: 'version' };
  const [command, extra] = positionals;
  if (command === undefined) return { is: 'wrong', message: 'a command is missing' };
  if (!isCommand(command)) {
    return { is: 'wrong', message: unknown(`command ${JSON.stringify(command)}`, command, commandNames) };
  }
  if (extra !== undefined) return { is: 'wrong', message: `unexpected argument ${JSON.stringify(extra)}` };
  const [configFile, stateFolder] = [values.config, values.state].map((value) => (value as string) ?? null);
  return { is: 'command', command, configFile: configFile ?? null, stateFolder: stateFolder ?? null };
}

function optionFault(name: string, rawName: string, value?: string, inline?: boolean): string | null {
  if (!Object.hasOwn(options, name)) return unknown(`option ${rawName}`, name, optionNames, '--');
  if (options[name as keyof typeof options].type === 'boolean') {
    return value === undefined ? null : `option ${rawName} takes no value`;
  }
  // `--config --state x` has forgotten a value, not named a file "--state".
  const isMissing = !value || (!inline && value.startsWith('-'));
  return isMissing ? `option ${rawName} needs a value` : null;
}

function isCommand(name: string): name is CommandName {
  return Object.hasOwn(commands, name);
}

function unknown(what: string, wrong: string, known: readonly string[], prefix = ''): string {
  const hint = didYouMean(
    prefix + wrong,
    known.map((name) => prefix + name),
  );
  return hint ? `unknown ${what}, ${hint}` : `unknown ${what}`;
}
