/**
 * commands: what `run`, `once`, `print`, `check` and `plugins` do, given everything from outside.
 *
 * Each returns its exit code. A wrong config is thrown (see `setup`) and shown by `main`.
 */
import { hostname } from 'node:os';
import { formatDuration } from '../plugins/duration.ts';
import { readHostName } from '../plugins/sources/host-name.ts';
import { linuxFiles } from '../plugins/sources/linux-files.ts';
import { isRecordedHost } from '../plugins/sources/node-os.ts';
import { type CommandName, exitCodes, type InitFlags } from './cli.ts';
import { type Collector, createCollector, type Pace } from './collect.ts';
import type { Overrides } from './config.ts';
import { createAlarm } from './delivery/alarm.ts';
import { createDelivery, type Delivery, type DeliveryParts } from './delivery/delivery.ts';
import { openSpool, type SpoolBounds } from './delivery/spool.ts';
import { errorText } from './error-text.ts';
import { readFingerprint } from './fingerprint.ts';
import {
  type HostIdentity,
  loadIdentity,
  readIdentity,
  recordedStateFolder,
  StateError,
} from './host-identity.ts';
import type { Terminal } from './init.ts';
import { createReloader } from './reload.ts';
import { buildReport, type ReportHost, type SubmitReportInput } from './report.ts';
import { type Log, run } from './run.ts';
import { createClock } from './schedule/clock.ts';
import { gridOf } from './schedule/grid.ts';
import { type Setup, setUp } from './setup.ts';
import { type Api, changeableApi, connect, shownUrl } from './submit.ts';
import { SubmitError } from './submit-error.ts';
import { watchFiles } from './watch-files.ts';

/** Everything that comes from outside the process, and how to speak to it. */
export type Surroundings = {
  cwd: string;
  configFile: string | null;
  stateFolder: string;
  init: InitFlags;
  terminal: Terminal;
  overrides: Overrides;
  /** Where secrets of the config may be. */
  env: Readonly<Record<string, string | undefined>>;
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
  openLog(): Promise<Log>;
  /** Has SIGHUP call this instead of ending the agent. */
  onHangup(listener: () => void): void;
};

type Command = (surroundings: Surroundings) => Promise<number>;
type Warn = (message: string, fields: Record<string, unknown>) => void;

export const commandActions: Record<CommandName, Command> = {
  run: runCommand,
  once,
  print,
  check,
  plugins: showPlugins,
  init,
};

async function runCommand(at: Surroundings): Promise<number> {
  const { setup, api } = await setUpToSend(at);
  const log = await at.openLog();
  for (const cause of setup.warnings) log.warn({ cause }, 'the config is not as it should be');
  const { stop } = at;
  try {
    const identity = await identityFor(at, (message, fields) => log.warn(fields, message));
    const hostId = identity.id;
    const { configPath, config, plugins } = setup;
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
    const paceOf = ({ config: { intervalMs } }: Setup) => ({ hostId, intervalMs, moment });
    const gridOfSetup = ({ config }: Setup) => gridOf(hostId, config.intervalMs, moment());
    const reports = reporter(at, setup, identity, paceOf(setup));
    const link = changeableApi(api);
    const bounds = { ...config.spool };
    const outbox = await deliveryFor(at, bounds, link.api, log);
    const alarm = createAlarm(clock);
    // The same file: while it is being replaced, no other one and no defaults are meant.
    const load = (previous: Setup) =>
      setUp({ ...at, configFile: previous.configPath ?? at.configFile, needsUrl: true, previous });
    const reloader = createReloader({ current: setup, load, onReady: alarm.ring, log });
    const renew = async () => {
      const before = reloader.current();
      const next = await reloader.take();
      if (next === null) return null;
      reports.change(next, paceOf(next));
      Object.assign(bounds, next.config.spool);
      if (next.config.url !== before.config.url || next.token !== before.token) {
        link.change(connectTo(next));
        outbox.startOver();
      }
      return gridOfSetup(next);
    };
    at.onHangup(() => reloader.request('SIGHUP'));
    const files = () => reloader.current().files;
    await watchFiles({ files, onChange: () => reloader.request('a file changed') }, stop);
    const { report: collect } = reports;
    const parts = { grid: gridOfSetup(setup), collect, outbox, log, clock, alarm, renew };
    await Promise.all([run(parts, stop), outbox.deliver(stop)]);
    log.info({ reason: errorText(stop.reason) }, 'agent stopped');
    return exitCodes.done;
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    log.error({ cause: error.message }, 'agent cannot start');
    return exitCodes.failed;
  }
}

async function once(at: Surroundings): Promise<number> {
  const { setup, api } = await setUpToSend(at);
  noteWarnings(at, setup);
  try {
    const warn = warnOn(at);
    const identity = await identityFor(at, warn);
    const note: Log['warn'] = (fields, message) => warn(message, fields);
    const delivery = await deliveryFor(at, setup.config.spool, api, {
      info: () => {},
      warn: note,
      error: note,
    });
    await delivery.deliverNow(await reporter(at, setup, identity).report(at.stop), at.stop);
  } catch (error) {
    await at.print(`error: ${errorText(error)}\n`);
    return exitCodes.failed;
  }
  await at.print('success\n');
  return exitCodes.done;
}

async function print(at: Surroundings): Promise<number> {
  const setup = await setUp({ ...at, needsUrl: false });
  const report = await reporter(at, setup, await knownIdentity(at)).report(at.stop);
  await at.print(`${JSON.stringify(report, null, 2)}\n`);
  return exitCodes.done;
}

async function check(at: Surroundings): Promise<number> {
  const { setup, api } = await setUpToSend(at);
  noteWarnings(at, setup);
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

async function init(at: Surroundings): Promise<number> {
  const { initConfig, InitError } = await import('./init.ts');
  try {
    const { path, nextSteps } = await initConfig(at);
    await at.print(`wrote ${path}\n`);
    const isAnswering = (await check({ ...at, configFile: path })) === exitCodes.done;
    await at.print(nextSteps(isAnswering));
    return exitCodes.done;
  } catch (error) {
    if (!(error instanceof InitError)) throw error;
    at.note(error.message);
    return exitCodes.wrongInput;
  }
}

async function setUpToSend(at: Surroundings): Promise<{ setup: Setup; api: Api }> {
  const setup = await setUp({ ...at, needsUrl: true });
  return { setup, api: connectTo(setup) };
}

function connectTo({ config, token }: Setup): Api {
  return connect({ url: config.url ?? '', token });
}

const clock = createClock();

async function deliveryFor(
  at: Surroundings,
  bounds: SpoolBounds,
  api: DeliveryParts['api'],
  log: Log,
): Promise<Delivery> {
  const stateFolder = await stateFolderFor(at);
  const spool = openSpool({ stateFolder, bounds, log, now: Date.now });
  return createDelivery({ api, spool, log, clock, random: Math.random });
}

async function identityFor(at: Surroundings, warn: Warn): Promise<HostIdentity> {
  const stateFolder = await stateFolderFor(at);
  return loadIdentity({ stateFolder, fingerprint: await readFingerprint(at.root, stateFolder), warn });
}

/** The identity that reports carry, whatever machine it was made on; made up where there is none. Writes nothing. */
async function knownIdentity(at: Surroundings): Promise<HostIdentity> {
  const stateFolder = await stateFolderFor(at);
  let why = `there is no host id in ${stateFolder} yet`;
  try {
    const known = await readIdentity(stateFolder);
    if (known) return known;
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    why = error.message;
  }
  at.note(`note: ${why}; the host id below is made up for this once`);
  return { id: crypto.randomUUID(), clonedFrom: null };
}

async function stateFolderFor({ stateFolder, root }: Surroundings): Promise<string> {
  return (await isRecordedHost(root)) ? recordedStateFolder(stateFolder, root) : stateFolder;
}

function noteWarnings({ note }: Surroundings, { warnings }: Setup): void {
  for (const warning of warnings) note(`warning: ${warning}`);
}

function warnOn({ note }: Surroundings): Warn {
  return (message, fields) => note(`warning: ${message} ${JSON.stringify(fields)}`);
}

type Reporter = {
  report(stop: AbortSignal): Promise<SubmitReportInput>;
  /** Reports by these settings from now on; not while a report is made. */
  change(setup: Setup, pace: Pace): void;
};

/** Makes one report after another: plugins keep what they know from each to the next. */
function reporter(
  { root, agentVersion }: Surroundings,
  { config, plugins }: Setup,
  identity: HostIdentity,
  pace?: Pace,
): Reporter {
  const collector: Collector = createCollector(plugins, { root, platform: process.platform, pace });
  let { labels } = config;
  let intervalMs = pace?.intervalMs ?? null;
  return {
    async report(stop) {
      const collectedAt = new Date();
      const [name, results] = await Promise.all([hostName(root), collector.collect(stop)]);
      const host = { ...hostOf(identity), name, labels };
      return buildReport({ host, agentVersion, collectedAt, intervalMs, results });
    },
    change(setup, next) {
      ({ labels } = setup.config);
      ({ intervalMs } = next);
      collector.replace(setup.plugins, next);
    },
  };
}

/** As the API takes it: one that knows no clones is not told that there is none. */
function hostOf({ id, clonedFrom }: HostIdentity): Omit<ReportHost, 'name' | 'labels'> {
  return clonedFrom === null ? { id } : { id, clonedFrom };
}

/** As the os plugin has it. Asked for each report, as it may change while the agent runs. */
async function hostName(root: string): Promise<string> {
  const name = process.platform === 'linux' ? await readHostName(linuxFiles(root), root) : null;
  return name ?? hostname();
}
