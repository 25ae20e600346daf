/** daemon: the command `run`: reports until it is stopped, reads its config again when told to, and tells how it fares. */
import { isDeepStrictEqual } from 'node:util';
import { formatDuration } from '../plugins/duration.ts';
import { exitCodes } from './cli.ts';
import { createAlarm } from './delivery/alarm.ts';
import { createDelivery } from './delivery/delivery.ts';
import { openSpool } from './delivery/spool.ts';
import { errorText, OperatorError } from './error-text.ts';
import { createReloader } from './reload.ts';
import { createReporter } from './reporter.ts';
import { run } from './run.ts';
import { createClock } from './schedule/clock.ts';
import { gridOf } from './schedule/grid.ts';
import { type Setup, setUp } from './setup.ts';
import { shownUrl } from './shown-url.ts';
import { createTidier, takeLittleMemory } from './small-memory.ts';
import { watchDaemon } from './status/watch-daemon.ts';
import { changeableApi } from './submit.ts';
import { connectTo, identityFor, type Surroundings, setUpToSend, stateFolderFor } from './surroundings.ts';
import { watchFiles } from './watch-files.ts';

export async function runDaemon(at: Surroundings): Promise<number> {
  const readAt = Date.now();
  const setup = await setUpToSend(at);
  const { config } = setup;
  const logSettings = ({ config }: Setup) => ({ ...config.log, format: at.logFormat ?? config.log.format });
  const log = await at.openLog(logSettings(setup));
  for (const cause of setup.warnings) log.warn({ cause }, 'the config is not as it should be');
  const { stop } = at;
  try {
    const identity = await identityFor(at, (message, fields) => log.warn(fields, message));
    const hostId = identity.id;
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
    takeLittleMemory(plugins.some(({ source }) => source.close !== undefined));
    const clock = createClock();
    const moment = () => ({ now: clock.now(), wallNow: Date.now() });
    const paceOf = ({ config: { intervalMs } }: Setup) => ({ hostId, intervalMs, moment });
    const gridOfSetup = ({ config }: Setup) => gridOf(hostId, config.intervalMs, moment());
    const watchedSettings = (current: Setup) => ({
      version: at.agentVersion,
      config: current.configPath,
      url: current.config.url && shownUrl(current.config.url),
      hostId,
      intervalSeconds: current.config.intervalMs / 1_000,
      maxSpoolBytes: current.config.spool.maxBytes,
    });
    let grid = gridOfSetup(setup);
    const reporter = createReporter(at, setup, identity, paceOf(setup));
    const connected = (current: Setup) => connectTo(at, current, { hostId, mode: 'enrol', log });
    const link = changeableApi(await connected(setup));
    const bounds = { ...config.spool };
    const stateFolder = await stateFolderFor(at);
    const spool = openSpool({ stateFolder, bounds, log, now: Date.now });
    const alarm = createAlarm(clock);
    // The same file: while it is being replaced, no other one and no defaults are meant.
    const load = (previous: Setup) =>
      setUp({
        ...{ ...at, stateFolder, configFile: previous.configPath ?? at.configFile },
        ...{ needsUrl: true, previous },
      });
    const reloader = createReloader({ current: setup, load, onReady: alarm.ring, log });
    const watch = await watchDaemon({
      settings: () => watchedSettings(reloader.current()),
      ...{ stateFolder, spool, metricsAt: config.metricsAt },
      ...{ grid: () => grid, clock, dueInMs: reporter.dueInMs, log },
    });
    const outbox = createDelivery({
      ...{ api: link.api, spool, log, clock, random: Math.random },
      ...{ watcher: watch.delivery, redact: reporter.redact },
    });
    const renew = async () => {
      const before = reloader.current();
      const next = await reloader.take();
      if (next === null) return null;
      reporter.change(next, paceOf(next));
      Object.assign(bounds, next.config.spool);
      await log.change(logSettings(next));
      await watch.serveAt(next.config.metricsAt);
      if (next.config.url !== before.config.url || !isDeepStrictEqual(next.access, before.access)) {
        link.change(await connected(next));
        outbox.startOver();
      }
      grid = gridOfSetup(next);
      return grid;
    };
    at.onHangup(() => reloader.request('SIGHUP'));
    const files = () => reloader.current().files;
    await watchFiles({ files, readAt, onChange: () => reloader.request('a file changed') }, stop);
    const tidy = createTidier();
    const collect = async (signal: AbortSignal) => {
      const report = await reporter.report(signal);
      watch.collected(report);
      tidy();
      return report;
    };
    const parts = { grid, collect, outbox, log, clock, alarm, renew };
    await Promise.all([run(parts, stop), outbox.deliver(stop)]).finally(watch.close);
    const { memoryReports } = spool.counts();
    if (memoryReports > 0) log.warn({ reports: memoryReports }, 'reports lost: they were only in memory');
    log.info({ reason: errorText(stop.reason) }, 'agent stopped');
    return exitCodes.done;
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    log.error({ cause: error.message }, 'agent cannot start');
    return exitCodes.failed;
  }
}
