/**
 * main: starts the agent. The only place that reads the environment and the command line, handles
 * signals and ends the process.
 */
import { homedir } from 'node:os';
import { exitCodes, parseCommandLine, usage } from './cli.ts';
import type { Surroundings } from './commands.ts';
import type { Log } from './run.ts';
import { chooseStateFolder } from './state-folder.ts';
import { agentVersion } from './version.ts';

const { env } = process;
const stopping = new AbortController();
let openedLog: Log | null = null;

/** Everything of ours stops at once; a plugin's module may still be loading, and cannot be told. */
const graceMs = 1_000;

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    stopping.abort(new Error(`told to stop by ${signal}`));
    setTimeout(() => process.exit(exitCodeWhenStopped()), graceMs);
  });
}

// What a plugin leaves behind, such as a promise that nobody awaits, must not end the agent.
process.on('uncaughtException', (error) => {
  if (openedLog)
    openedLog.error({ cause: String(error?.stack ?? error) }, 'stray error, probably of a plugin');
  else note(`warning: stray error, probably of a plugin: ${error?.stack ?? error}`);
});

// Whoever reads our output may have seen enough: `… plugins | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(exitCodes.done);
});

// At once, as a plugin that hangs would keep the process from ending by itself.
process.exit(await main());

async function main(): Promise<number> {
  const line = parseCommandLine(process.argv.slice(2));
  if (line.is === 'help') return print(usage).then(() => exitCodes.done);
  if (line.is === 'version') return print(`${agentVersion()}\n`).then(() => exitCodes.done);
  if (line.is === 'wrong') {
    note(`${line.message}\n\n${usage.trimEnd()}`);
    return exitCodes.wrongInput;
  }
  // Loaded only now, so that help and a wrong command line are answered at once.
  const [{ commandActions }, { ConfigError }, { ConfigFileError }] = await Promise.all([
    import('./commands.ts'),
    import('./setup.ts'),
    import('./config-file.ts'),
  ]);
  try {
    return await commandActions[line.command](surroundings(line.configFile, line.stateFolder));
  } catch (error) {
    if (error instanceof ConfigError || error instanceof ConfigFileError) {
      note(error.message);
      return exitCodes.wrongInput;
    }
    if (stopping.signal.aborted) return exitCodeWhenStopped();
    note(`error: ${error instanceof Error ? error.stack : error}`);
    return exitCodes.failed;
  }
}

/** Being told to stop is no failure of the daemon, but whoever waits for a report did not get it. */
function exitCodeWhenStopped(): number {
  const line = parseCommandLine(process.argv.slice(2));
  return line.is === 'command' && line.command === 'run' ? exitCodes.done : exitCodes.failed;
}

function surroundings(configFile: string | null, stateOption: string | null): Surroundings {
  const hints = { option: stateOption ?? undefined, systemd: env.STATE_DIRECTORY, xdg: env.XDG_STATE_HOME };
  const overrides = {
    url: env.OS_INSPECTOR_URL?.trim(),
    token: env.OS_INSPECTOR_TOKEN?.trim(),
    apiIp: env.API_IP?.trim(),
    apiPort: env.API_PORT?.trim(),
  };
  return {
    cwd: process.cwd(),
    configFile,
    stateFolder: chooseStateFolder({ ...hints, home: homedir(), isRoot: process.getuid?.() === 0 }),
    overrides,
    root: env.HOST_ROOT || '/',
    agentVersion: agentVersion(),
    stop: stopping.signal,
    print,
    note,
    openLog,
  };
}

function print(text: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(text, () => resolve()));
}

function note(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function openLog(): Promise<Log> {
  const { pino } = await import('pino');
  // Synchronously: otherwise what is written while the process ends overtakes the line before it.
  openedLog = pino({ name: 'os-inspector-agent' }, pino.destination({ fd: process.stdout.fd, sync: true }));
  return openedLog;
}
