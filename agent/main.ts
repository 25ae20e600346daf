/**
 * main: starts the agent. The only place that reads the environment and the command line, handles
 * signals and ends the process.
 */
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { type CommandOptions, exitCodes, parseCommandLine, usage } from './cli.ts';
import type { DaemonLog, LogSettings } from './daemon-log.ts';
import { errorText, OperatorError } from './error-text.ts';
import type { Log } from './run.ts';
import { claimStandardOutput } from './standard-output.ts';
import { chooseStateFolder } from './state-folder.ts';
import type { Surroundings } from './surroundings.ts';
import { agentVersion } from './version.ts';

const { env } = process;
const stopping = new AbortController();
let openedLog: Log | null = null;
let hangupListener: (() => void) | null = null;
let wasHungUp = false;
let hasEnded = false;

const commandLine = parseCommandLine(process.argv.slice(2));
if (isCommand('run')) (await import('./small-memory.ts')).startAnewWithSmallHeaps();
const print = claimStandardOutput();

/** Everything of ours stops at once; a plugin's module may still be loading, and cannot be told. */
const graceMs = 1_000;

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    stopping.abort(new Error(`told to stop by ${signal}`));
    setTimeout(() => end(exitCodeWhenStopped()), graceMs);
  });
}

// To a daemon it says to read its config again; while it starts it may have read it already.
if (isCommand('run')) {
  process.on('SIGHUP', () => {
    if (hangupListener) hangupListener();
    else wasHungUp = true;
  });
}

// What a config or a built-in plugin leaves behind, such as a promise that nobody awaits, must not end the agent.
process.on('uncaughtException', (error) => onStray(null, String(error?.stack ?? error)));

// The agent alone ends its process: a config that does must not pass for a command that is done.
process.on('exit', () => {
  if (hasEnded) return;
  process.exitCode = stopping.signal.aborted ? exitCodeWhenStopped() : exitCodes.failed;
  if (!stopping.signal.aborted) tellEndedByConfig();
});

// At once, as a plugin that hangs would keep the process from ending by itself.
end(await main());

function end(code: number): never {
  hasEnded = true;
  process.exit(code);
}

async function main(): Promise<number> {
  try {
    if (commandLine.is === 'help') return await print(usage).then(() => exitCodes.done);
    if (commandLine.is === 'version') return await print(`${agentVersion()}\n`).then(() => exitCodes.done);
    if (commandLine.is === 'wrong') {
      note(`${commandLine.message}\n\n${usage.trimEnd()}`);
      return exitCodes.wrongInput;
    }
    // Loaded only now, so that help and a wrong command line are answered at once.
    const { commandActions } = await import('./commands.ts');
    return await commandActions[commandLine.command](surroundings(commandLine));
  } catch (error) {
    return exitCodeFor(error);
  }
}

async function exitCodeFor(error: unknown): Promise<number> {
  const [{ ConfigError }, { ConfigFileError }] = await Promise.all([
    import('./setup.ts'),
    import('./config-file.ts'),
  ]);
  if (error instanceof ConfigError || error instanceof ConfigFileError) {
    note(error.message);
    return exitCodes.wrongInput;
  }
  if (stopping.signal.aborted) return exitCodeWhenStopped();
  const isOurs = error instanceof OperatorError || !(error instanceof Error);
  note(`error: ${isOurs ? errorText(error) : error.stack}`);
  return exitCodes.failed;
}

/** Being told to stop is no failure of the daemon, but whoever waits for a report did not get it. */
function exitCodeWhenStopped(): number {
  return isCommand('run') ? exitCodes.done : exitCodes.failed;
}

function onStray(plugin: string | null, cause: string): void {
  if (openedLog) openedLog.error({ plugin, cause }, 'stray error');
  else note(`warning: stray error${plugin === null ? '' : ` of plugin ${plugin}`}: ${cause}`);
}

function isCommand(name: string): boolean {
  return commandLine.is === 'command' && commandLine.command === name;
}

function tellEndedByConfig(): void {
  const cause =
    'something, such as the config file, ended the process before the command was done: only the agent may call process.exit';
  if (openedLog) openedLog.error({ cause }, 'agent ended');
  else if (!isCommand('once')) note(`error: ${cause}`);
  else print(`error: ${cause}\n`).catch(() => note(`error: ${cause}`));
}

function surroundings({ configFile, stateFolder, ...options }: CommandOptions): Surroundings {
  const hints = { option: stateFolder ?? undefined, systemd: env.STATE_DIRECTORY, xdg: env.XDG_STATE_HOME };
  const overrides = {
    url: env.OS_INSPECTOR_URL?.trim(),
    token: env.OS_INSPECTOR_TOKEN?.trim(),
    enrolment: env.OS_INSPECTOR_ENROLMENT?.trim(),
    apiIp: env.API_IP?.trim(),
    apiPort: env.API_PORT?.trim(),
  };
  return {
    ...options,
    cwd: process.cwd(),
    configFile,
    stateFolder: chooseStateFolder({ ...hints, home: homedir(), isRoot: process.getuid?.() === 0 }),
    terminal: { input: process.stdin, output: process.stderr, isOne: process.stdin.isTTY === true },
    overrides,
    env,
    root: resolve(env.HOST_ROOT || '/'),
    agentVersion: agentVersion(),
    stop: stopping.signal,
    print,
    note,
    onStray,
    openLog,
    onHangup: (listener) => {
      hangupListener = listener;
      if (wasHungUp) listener();
    },
  };
}

function note(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function openLog(settings: LogSettings): Promise<DaemonLog> {
  const { openDaemonLog } = await import('./daemon-log.ts');
  const log = await openDaemonLog(settings, { fd: process.stdout.fd, isTTY: process.stdout.isTTY });
  openedLog = log;
  return log;
}
