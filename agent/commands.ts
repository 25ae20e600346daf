/**
 * commands: what each command does, given everything from outside.
 *
 * Each returns its exit code. A wrong config is thrown (see `setup`) and shown by `main`.
 */
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { formatDuration } from '../plugins/duration.ts';
import { readHostName } from '../plugins/sources/host-name.ts';
import { linuxFiles } from '../plugins/sources/linux-files.ts';
import { isRecordedHost } from '../plugins/sources/node-os.ts';
import { type CommandName, exitCodes } from './cli.ts';
import { type Collector, createCollector, type Pace } from './collect.ts';
import type { Overrides } from './config.ts';
import type { LogSettings } from './daemon-log.ts';
import { createDelivery } from './delivery/delivery.ts';
import { openSpool } from './delivery/spool.ts';
import { errorText, OperatorError } from './error-text.ts';
import { readFingerprint } from './fingerprint.ts';
import { loadHostId, readHostId, recordedStateFolder, StateError } from './host-identity.ts';
import { buildReport, type SubmitReportInput } from './report.ts';
import { type Log, run } from './run.ts';
import { createClock } from './schedule/clock.ts';
import { gridOf } from './schedule/grid.ts';
import { type Setup, setUp } from './setup.ts';
import { watchDaemon } from './status/watch-daemon.ts';
import { type Api, connect, shownUrl } from './submit.ts';
import { SubmitError } from './submit-error.ts';

/** Everything that comes from outside the process, and how to speak to it. */
export type Surroundings = {
  cwd: string;
  configFile: string | null;
  stateFolder: string;
  overrides: Overrides;
  /** Where the host's file system begins. */
  root: string;
  agentVersion: string;
  /** Aborted when the agent is told to stop. */
  stop: AbortSignal;
  /** Writes text to standard output. */
  print(text: string): Promise<void>;
  /** Writes a line for people to standard error. */
  note(line: string): void;
  /** Told what a plugin threw when nobody waited for it; `use` is the plugin as the config names it. */
  onStray(use: string, error: string): void;
  /** Opens the daemon's log; only `run` has one. */
  openLog(settings: LogSettings): Promise<Log>;
  /** `--json`. */
  json: boolean;
  /** `--log-format`; null leaves it to the config. */
  logFormat: LogSettings['format'];
  /** What `plugins test` is about. */
  plugin: string | null;
};

type Command = (surroundings: Surroundings) => Promise<number>;
type Warn = (message: string, fields: Record<string, unknown>) => void;

export const commandActions: Record<CommandName, Command> = {
  run: runCommand,
  once,
  print,
  check,
  plugins: showPlugins,
  'plugins test': async (at) => (await import('./plugins-test/command.ts')).testPlugin(at),
  status: async (at) =>
    (await import('./status/command.ts')).showStatus(at, resolve(await stateFolderFor(at))),
  doctor: async (at) => (await import('./doctor/command.ts')).doctor(at, resolve(await stateFolderFor(at))),
};

async function runCommand(at: Surroundings): Promise<number> {
  const { setup, api } = await setUpToSend(at);
  const { config } = setup;
  const log = await at.openLog({ ...config.log, format: at.logFormat ?? config.log.format });
  const { stop } = at;
  try {
    const hostId = await hostIdFor(at, (message, fields) => log.warn(fields, message));
    const { configPath, plugins } = setup;
    const settings = {
      version: at.agentVersion,
      config: configPath ?? 'none: defaults and environment',
      url: config.url && shownUrl(config.url),
      interval: formatDuration(config.intervalMs),
      plugins: plugins.map(({ plugin }) => plugin.name),
      hostId,
      state: at.stateFolder,
    };
    log.info(settings, 'agent started');
    const moment = () => ({ now: clock.now(), wallNow: Date.now() });
    const { intervalMs } = config;
    const { collect, dueInMs } = reporter(at, setup, hostId, { hostId, intervalMs, moment });
    const grid = gridOf(hostId, intervalMs, moment());
    const stateFolder = await stateFolderFor(at);
    const spool = openSpool({ stateFolder, bounds: config.spool, log, now: Date.now });
    const watch = await watchDaemon({
      about: {
        version: at.agentVersion,
        config: configPath,
        url: settings.url,
        hostId,
        intervalSeconds: intervalMs / 1_000,
      },
      ...{ stateFolder, spool, maxSpoolBytes: config.spool.maxBytes, metricsAt: config.metricsAt },
      ...{ grid, clock, dueInMs, log },
    });
    const outbox = createDelivery({ api, spool, log, clock, random: Math.random, watcher: watch.delivery });
    const collectWatched = async (stop: AbortSignal) => {
      const report = await collect(stop);
      watch.collected(report);
      return report;
    };
    const parts = { grid, collect: collectWatched, outbox, log, clock };
    await Promise.all([run(parts, stop), outbox.deliver(stop)]).finally(watch.close);
    log.info({ reason: errorText(stop.reason) }, 'agent stopped');
    return exitCodes.done;
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    log.error({ cause: error.message }, 'agent cannot start');
    return exitCodes.failed;
  }
}

async function once(at: Surroundings): Promise<number> {
  const { setup, api } = await setUpToSend(at);
  try {
    const warn = warnOn(at);
    const hostId = await hostIdFor(at, warn);
    const note: Log['warn'] = (fields, message) => warn(message, fields);
    const log: Log = { info: () => {}, warn: note, error: note };
    const stateFolder = await stateFolderFor(at);
    const spool = openSpool({ stateFolder, bounds: setup.config.spool, log, now: Date.now });
    const delivery = createDelivery({ api, spool, log, clock, random: Math.random });
    await delivery.deliverNow(await reporter(at, setup, hostId).collect(at.stop), at.stop);
  } catch (error) {
    await at.print(`error: ${errorText(error)}\n`);
    return exitCodes.failed;
  }
  await at.print('success\n');
  return exitCodes.done;
}

async function print(at: Surroundings): Promise<number> {
  const setup = await setUp({ ...at, needsUrl: false });
  const report = await reporter(at, setup, await knownHostId(at)).collect(at.stop);
  await at.print(`${JSON.stringify(report, null, 2)}\n`);
  return exitCodes.done;
}

async function check(at: Surroundings): Promise<number> {
  const { setup, api } = await setUpToSend(at);
  const names = setup.plugins.map(({ plugin }) => plugin.name).join(', ');
  await at.print(`config: ${setup.configPath ?? 'no file, defaults and environment'}: no problems\n`);
  await at.print(`plugins: ${names || 'none'}\n`);
  try {
    await api.ping(at.stop);
  } catch (error) {
    if (!(error instanceof SubmitError)) throw error;
    await at.print(`api: ${error.message}\n`);
    return exitCodes.failed;
  }
  await at.print(`api: ${shownUrl(setup.config.url ?? '')} answers\n`);
  return exitCodes.done;
}

async function showPlugins(at: Surroundings): Promise<number> {
  const { plugins } = await setUp({ ...at, needsUrl: false });
  const { describePlugins } = await import('./describe-plugins.ts');
  await at.print(describePlugins(plugins.map(({ plugin }) => plugin)));
  return exitCodes.done;
}

async function setUpToSend(at: Surroundings): Promise<{ setup: Setup; api: Api }> {
  const setup = await setUp({ ...at, needsUrl: true });
  const { url, token } = setup.config;
  return { setup, api: connect({ url: url ?? '', token }) };
}

const clock = createClock();

async function hostIdFor(at: Surroundings, warn: Warn): Promise<string> {
  const stateFolder = await stateFolderFor(at);
  return loadHostId({ stateFolder, fingerprint: await readFingerprint(at.root), warn });
}

/** The id that reports carry, whatever machine it was made on; made up where there is none. Writes nothing. */
async function knownHostId(at: Surroundings): Promise<string> {
  const stateFolder = await stateFolderFor(at);
  let why = `there is no host id in ${stateFolder} yet`;
  try {
    const known = await readHostId(stateFolder);
    if (known) return known;
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    why = error.message;
  }
  at.note(`note: ${why}; the host id below is made up for this once`);
  return crypto.randomUUID();
}

async function stateFolderFor({ stateFolder, root }: Surroundings): Promise<string> {
  return (await isRecordedHost(root)) ? recordedStateFolder(stateFolder, root) : stateFolder;
}

function warnOn({ note }: Surroundings): Warn {
  return (message, fields) => note(`warning: ${message} ${JSON.stringify(fields)}`);
}

type Reporter = Pick<Collector, 'dueInMs'> & { collect(stop: AbortSignal): Promise<SubmitReportInput> };

/** Returns what makes one report after another: plugins keep what they know from each to the next. */
function reporter(
  { root, agentVersion }: Surroundings,
  { config, plugins }: Setup,
  hostId: string,
  pace?: Pace,
): Reporter {
  const collector: Collector = createCollector(plugins, { root, platform: process.platform, pace });
  const intervalMs = pace?.intervalMs ?? null;
  return {
    dueInMs: collector.dueInMs,
    async collect(stop) {
      const collectedAt = new Date();
      const [name, results] = await Promise.all([hostName(root), collector.collect(stop)]);
      const host = { id: hostId, name, labels: config.labels };
      return buildReport({ host, agentVersion, collectedAt, intervalMs, results });
    },
  };
}

/** As the os plugin has it. Asked for each report, as it may change while the agent runs. */
async function hostName(root: string): Promise<string> {
  const name = process.platform === 'linux' ? await readHostName(linuxFiles(root), root) : null;
  return name ?? hostname();
}
