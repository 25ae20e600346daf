/**
 * main: the command `os-inspector-api`. Reads the environment, and hands over to a command.
 */
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import packageJson from '../package.json' with { type: 'json' };
import { messageOf } from '../plugins/message-of.ts';
import type { Known } from './load-plugins.ts';
import { exposureProblem } from './settings/auth.ts';
import { type ApiSettings, readSettings } from './settings.ts';

const usage = `usage: os-inspector-api [serve | rebuild | compact | token … | --version]

  serve     answers GraphQL at http://HOST:PORT/graphql (the default)
  rebuild   builds the index anew from the bucket; a server that runs answers from the old one until then
  compact   merges the small segments of past hours; safe beside servers, and at any time
  token     makes, lists and revokes tokens: "os-inspector-api token --help"

Settings, from the environment:
  HOST           address to listen on                       127.0.0.1
  PORT           port to listen on; 0 takes any free one    4000
  AUTH           required: who asks must show a token; none: whoever reaches it may do everything, so that HOST
                 must be of this machine alone               none
  OIDC_ISSUER, OIDC_AUDIENCE, OIDC_JWKS_URL
                 identity provider whose tokens people and services may show
  OIDC_SCOPES_CLAIM, OIDC_SCOPES
                 the claim that says what they may do, and what its values mean
                                                            scope
  TLS_CERT, TLS_KEY
                 PEM files for HTTPS, read anew when they change
  TLS_CLIENT_CA  PEM file of the authority whose certificates clients must show
  TLS_CLIENT_CRL PEM file of the lists (CRL) of those of them that are revoked
  TLS_CLIENT_SCOPES
                 what such a certificate allows by itself: submit, read, admin
  TRUSTED_PROXIES
                 addresses and networks whose word is taken on where a request comes from
  MAX_CONNECTIONS
                 connections at a time                      10000
  HEADERS_TIMEOUT, REQUEST_TIMEOUT
                 how long the head, and all, of a request may take to come
                                                            10s, 2m
  GRAPHIQL       on or off: the page for browsers           on
  INTROSPECTION  on or off: whether the schema may be asked for
                                                            on
  PYTHON_ROUTES  on or off: the routes of the Python system on
  BUCKET_URL     file:./folder or s3://bucket/prefix?region=…&endpoint=…&forcePathStyle=true
                                                            file:./data/bucket
  INDEX_URL      sqlite:./file or postgres://user:password@host/database
                                                            sqlite:./data/index.db
  COMMIT_LINGER  how long reports gather before they are put, under load
                                                            10ms
  RETENTION      how long the index keeps reports, such as 90d; the bucket keeps them for ever
  QUERY_TIMEOUT  how long a query may take, then its work is ended
                                                            30s
  OPERATION_LIMIT  operations of one identity, such as 100/s or 5000/m; off for any number
                                                            600000/m
  REPORT_LIMIT   reports of one identity                    600000/m
  ADDRESS_LIMIT  requests from one address                  600000/m
  MAX_IN_FLIGHT  requests worked on at once; others are told to come again later
                                                            1000
  LOG_LEVEL      debug, info, warn or error                 info
  STOP_DELAY, STOP_TIMEOUT
                 how long it still answers, and how long it takes at most, once it is told to stop
                                                            0s, 20s
  OTEL_EXPORTER_OTLP_ENDPOINT
                 where traces are sent to, such as http://127.0.0.1:4318; empty for nowhere
  OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG
                 which of them, by the names of OpenTelemetry
                                                            parentbased_always_on, 1
  PLUGINS        plugin files and packages beside the built-in ones, separated by commas
`;

type Run = (settings: ApiSettings, known: Known) => Promise<number>;

/** Loaded by the one that is asked for: all that a server needs takes a second. */
const commands = {
  serve: async (): Promise<Run> => (await import('./commands/serve.ts')).serve,
  rebuild: async (): Promise<Run> => (await import('./commands/rebuild.ts')).runRebuild,
  compact: async (): Promise<Run> => (await import('./commands/compact.ts')).runCompact,
};
type Command = keyof typeof commands;

// By default the heap grows to several times of what is in use before V8 looks for garbage. With this it takes two
// thirds of the memory, and at a load that one process can just bear a tenth more CPU.
setFlagsFromString('--heap-growing-percent=60');

process.exitCode = await main(process.argv.slice(2));

/** @returns the exit code: 0 done, 1 failed, 2 the command line or a setting is wrong */
async function main(args: string[]): Promise<number> {
  // It has options of its own.
  const command = args[0] === 'token' ? 'token' : parseCommand(args);
  if (command === null) return 2;
  if (command === 'help') {
    process.stdout.write(usage);
    return 0;
  }
  if (command === 'version') {
    process.stdout.write(`${packageJson.version}\n`);
    return 0;
  }
  const read = readSettings(process.env, process.cwd());
  if ('problems' in read) {
    return refuse(
      'settings',
      read.problems.map(({ setting, message }) => `${setting}: ${message}`),
    );
  }
  const { settings } = read;
  try {
    if (command === 'token') {
      const { runToken } = await import('./commands/token.ts');
      return await runToken(args.slice(1), settings.bucket);
    }
    return await runCommand(command, settings);
  } catch (cause) {
    process.stderr.write(`os-inspector-api: ${messageOf(cause)}\n`);
    return 1;
  }
}

async function runCommand(command: Command, settings: ApiSettings): Promise<number> {
  const exposed = command === 'serve' ? exposureProblem(settings) : null;
  if (exposed !== null) return refuse('settings', [`AUTH: ${exposed}`]);
  const [{ loadPlugins }, run] = await Promise.all([import('./load-plugins.ts'), commands[command]()]);
  const known = await loadPlugins(settings.plugins, process.cwd());
  if ('problems' in known)
    return refuse(
      'plugins',
      known.problems.map((problem) => `PLUGINS: ${problem}`),
    );
  return run(settings, known);
}

function refuse(what: 'settings' | 'plugins', problems: readonly string[]): number {
  const lines = problems.map((problem) => `  ${problem}\n`);
  process.stderr.write(`os-inspector-api: these ${what} cannot be used:\n${lines.join('')}`);
  return 2;
}

function parseCommand(args: string[]): Command | 'help' | 'version' | null {
  try {
    const { values, positionals } = parseArgs({
      args,
      options: { help: { type: 'boolean', short: 'h' }, version: { type: 'boolean' } },
      allowPositionals: true,
    });
    const [command = 'serve', ...more] = positionals;
    if (values.help) return 'help';
    if (values.version) return 'version';
    if (more.length === 0 && Object.hasOwn(commands, command)) return command as Command;
    throw new Error(`unknown command ${JSON.stringify(positionals.join(' '))}`);
  } catch (cause) {
    process.stderr.write(`os-inspector-api: ${messageOf(cause)}\n\n${usage}`);
    return null;
  }
}
