/**
 * soak-cycles: a process that collects, spools, delivers and tells its status as the daemon does, report after report without
 * waiting for the next interval.
 *
 * Arguments: the address of an API, the state folder and the number of reports. Prints a JSON line at each tenth of them: what
 * the process holds, and what it took of the processor since the line before.
 */
import { fixedToken } from '../../agent/access/credentials.ts';
import { createCollector } from '../../agent/collect.ts';
import { checkConfig } from '../../agent/config.ts';
import { loadConfiguredPlugins } from '../../agent/configured-plugins.ts';
import { createDelivery } from '../../agent/delivery/delivery.ts';
import { openSpool } from '../../agent/delivery/spool.ts';
import { cpuMs } from '../../agent/plugins-test/cpu-time.ts';
import { buildReport } from '../../agent/report.ts';
import { createClock } from '../../agent/schedule/clock.ts';
import { gridOf } from '../../agent/schedule/grid.ts';
import { createTidier, takeLittleMemory } from '../../agent/small-memory.ts';
import { watchDaemon } from '../../agent/status/watch-daemon.ts';
import { connect } from '../../agent/submit.ts';
import { type Held, heldNow } from './held.ts';

export type SoakLine = Held & { reports: number; cpuMsPerReport: number };

const [url = '', stateFolder = '', count = ''] = process.argv.slice(2);
const reports = Number(count);
const intervalMs = 60_000;
const hostId = '0195d3a0-0000-4000-8000-000000000001';

const problem = (fields: object, message: string) => {
  throw new Error(`${message} ${JSON.stringify(fields)}`);
};
const log = { info: () => {}, warn: problem, error: problem };
const { config, plugins: entries } = checkConfig({});
const { plugins } = await loadConfiguredPlugins(entries, '/', {
  onStray: (use, error) => problem({ use }, error),
});
let now = 0;
takeLittleMemory(false);
const tidy = createTidier();
const moment = () => ({ now, wallNow: Date.UTC(2026, 0, 1) + now });
const collector = createCollector(plugins, {
  ...{ root: '/', platform: process.platform, pace: { hostId, intervalMs, moment } },
});
const clock = createClock();
const bounds = config?.spool ?? { maxBytes: 2 ** 26, maxAgeMs: 2 ** 30 };
const spool = openSpool({ stateFolder, bounds, log, now: Date.now });
const grid = gridOf(hostId, intervalMs, moment());
const watch = await watchDaemon({
  settings: () => ({
    ...{ version: '0.0.0', config: null, url, hostId, intervalSeconds: intervalMs / 1_000 },
    maxSpoolBytes: bounds.maxBytes,
  }),
  ...{ stateFolder, spool, metricsAt: null, log, clock },
  ...{ grid: () => grid, dueInMs: collector.dueInMs },
});
let acknowledged = () => {};
const outbox = createDelivery({
  ...{ api: connect({ url, credentials: fixedToken(null) }), spool, log, clock, random: Math.random },
  watcher: {
    ...watch.delivery,
    acknowledged(report) {
      watch.delivery.acknowledged(report);
      acknowledged();
    },
  },
});
const stopping = new AbortController();
const delivering = outbox.deliver(stopping.signal);

let cpuBefore = cpuMs();
for (let made = 1; made <= reports; made += 1) {
  const results = await collector.collect(stopping.signal);
  const report = buildReport({
    host: { id: hostId, name: 'soak', labels: {} },
    ...{ agentVersion: '0.0.0', collectedAt: new Date(), intervalMs, results },
  });
  watch.collected(report);
  tidy();
  const done = new Promise<void>((resolve) => {
    acknowledged = resolve;
  });
  await outbox.add(report);
  await done;
  now += intervalMs;
  if (made % (reports / 10) === 0) show(made);
}
stopping.abort(new Error('done'));
await delivering;
await watch.close();
process.exit();

function show(made: number): void {
  const cpu = cpuMs();
  const cpuMsPerReport = (cpu - cpuBefore) / (reports / 10);
  cpuBefore = cpu;
  const line: SoakLine = {
    reports: made,
    ...heldNow(),
    cpuMsPerReport: Math.round(cpuMsPerReport * 10) / 10,
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
