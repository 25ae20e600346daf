/** cli: the agent's command line: what it may say, what it means, and the usage text. */
import { parseArgs } from 'node:util';
import { didYouMean } from '../plugins/did-you-mean.ts';
import { type LogSettings, logFormats } from './daemon-log.ts';

/** What each command does, as the usage text shows it. */
export const commands = {
  run: 'collects and submits a report at once and then every interval, until it is stopped',
  once: 'submits one report; prints "success", or "error: …"',
  print: 'collects a report and prints it as JSON; sends nothing',
  check: 'shows every problem of the config, then whether the API answers',
  plugins: 'shows what each configured plugin collects',
  'plugins test': 'runs one plugin, NAME as configured or a file, and shows what it brings and costs',
  status: 'shows how the running agent fares: reports, spool, plugins',
  doctor: 'looks for everything that can keep reports from arriving, and says what to do',
  init: 'writes a config with comments, by asking or from its options',
} as const;

export type CommandName = keyof typeof commands;
const commandNames = Object.keys(commands) as CommandName[];

/** What a process ends with; the whole of what the commands promise. */
export const exitCodes = { done: 0, failed: 1, wrongInput: 2 } as const;

export type CommandOptions = {
  configFile: string | null;
  stateFolder: string | null;
  json: boolean;
  logFormat: LogSettings['format'];
  /** Of `plugins test`. */
  plugin: string | null;
  init: InitFlags;
};

export type CommandLine =
  | ({ is: 'command'; command: CommandName } & CommandOptions)
  | { is: 'help' }
  | { is: 'version' }
  | { is: 'wrong'; message: string };

/** What `init` is told on the command line; null is not said. */
export type InitFlags = {
  url: string | null;
  interval: string | null;
  /** As `name=value` each. */
  labels: readonly string[];
  plugins: readonly string[];
  output: string | null;
  /** Asks nothing. */
  yes: boolean;
  /** Overwrites. */
  force: boolean;
};

/** Options of `init` alone. */
const initOptions = {
  url: { type: 'string' },
  interval: { type: 'string' },
  label: { type: 'string', multiple: true },
  plugin: { type: 'string', multiple: true },
  output: { type: 'string' },
  yes: { type: 'boolean' },
  force: { type: 'boolean' },
} as const;

const options = {
  config: { type: 'string' },
  state: { type: 'string' },
  json: { type: 'boolean' },
  'log-format': { type: 'string' },
  ...initOptions,
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const;
const optionNames = Object.keys(options);

/** Options that not every command takes. */
const takenBy: Partial<Record<string, readonly CommandName[]>> = {
  json: ['status', 'doctor', 'plugins test'],
  'log-format': ['run'],
  ...Object.fromEntries(Object.keys(initOptions).map((name) => [name, ['init']])),
};

export const usage = `usage: os-inspector-agent <command> [options]

commands:
${commandNames.map((name) => `  ${usageOf(name).padEnd(17)}  ${commands[name]}`).join('\n')}

options:
  --config FILE   the config to use, instead of looking for one
  --state FOLDER  where the agent keeps its host id and reports that wait
  --json          of status, doctor and plugins test: answers in JSON
  --log-format F  of run: json or pretty; by itself pretty on a terminal
  --help          shows this text
  --version       shows the version

options of init:
  --url URL           GraphQL endpoint of the API
  --interval TIME     time from one report to the next, such as 60s or 1h
  --label NAME=VALUE  a label of this host; may be given again
  --plugin NAME       a plugin to collect; may be given again, all by default
  --output FILE       where to write, agent.config.yaml by default
  --yes               asks nothing: what is not given has its default
  --force             overwrites

environment:
  OS_INSPECTOR_URL        address of the API, before the config's api.url
  OS_INSPECTOR_TOKEN      sent to the API as a bearer token, before the config's api.token
  OS_INSPECTOR_ENROLMENT  secret by which this host enrols, before the config's api.enrolment
  API_IP, API_PORT        together mean http://$API_IP:$API_PORT/graphql
  HTTPS_PROXY, NO_PROXY   a proxy on the way to the API, and what is reached without it
  HOST_ROOT               where the host's file system is mounted, in a container

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
  const [first, second] = positionals;
  if (first === undefined) return { is: 'wrong', message: 'a command is missing' };
  const isTest = first === 'plugins' && second === 'test';
  const command = isTest ? 'plugins test' : first;
  if (!isCommand(command)) {
    return { is: 'wrong', message: unknown(`command ${JSON.stringify(first)}`, first, commandNames) };
  }
  const [argument = null, ...extra] = positionals.slice(isTest ? 2 : 1);
  const unexpected = isTest ? extra[0] : argument;
  if (unexpected) return { is: 'wrong', message: `unexpected argument ${JSON.stringify(unexpected)}` };
  if (isTest && argument === null) return { is: 'wrong', message: 'plugins test needs the name of a plugin' };
  for (const name of Object.keys(values)) {
    const takers = takenBy[name];
    if (takers && !takers.includes(command)) {
      return { is: 'wrong', message: `option --${name} is for ${takers.join(', ')}, and not for ${command}` };
    }
  }
  if (command === 'init' && values.config !== undefined) {
    return { is: 'wrong', message: 'init reads no config: --output says where to write one' };
  }
  const text = (name: keyof typeof options) => (values[name] as string | undefined) ?? null;
  const texts = (name: keyof typeof options) => (values[name] as string[] | undefined) ?? [];
  const logFormat = logFormats.find((format) => format === text('log-format')) ?? null;
  if (values['log-format'] !== undefined && logFormat === null) {
    return { is: 'wrong', message: `option --log-format must be ${logFormats.join(' or ')}` };
  }
  const init = {
    ...{ url: text('url'), interval: text('interval'), output: text('output') },
    ...{ labels: texts('label'), plugins: texts('plugin') },
    ...{ yes: values.yes === true, force: values.force === true },
  };
  return {
    is: 'command',
    command,
    configFile: text('config'),
    stateFolder: text('state'),
    json: values.json === true,
    logFormat,
    plugin: argument,
    init,
  };
}

function usageOf(name: CommandName): string {
  return name === 'plugins test' ? `${name} NAME` : name;
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
