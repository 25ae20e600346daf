/**
 * daemon: what the agent takes while it runs: processor, memory, bytes on the wire, with every plugin of this system.
 *
 * Reports come each `--interval` seconds, as fast as they may, and a share of the processor is told for one a minute: between
 * reports the agent sleeps. `--interval 60` measures the very thing, in as many minutes as there are reports.
 */
import { readFileSync } from 'node:fs';
import { startAcknowledgingApi } from '../../test/support/acknowledging-api.ts';
import { startAgent } from '../../test/support/agent-process.ts';
import { eventually } from '../../test/support/eventually.ts';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import { aim, number, printLines, readFlags } from '../benchmark.ts';
import { agentScript } from './agent-script.ts';
import { isInstalled, startPeer } from './peers.ts';

const defaults = { interval: 1, reports: 20, warmup: 5 };

/** What a report a minute may take of a core, in percent; and of memory. */
const mostShare = 0.1;
const mostMiB = 80;
const mostWireBytes = 3_000;
/** USER_HZ, which Linux promises to programs. */
const ticksPerSecond = 100;

export async function main(args: string[] = []): Promise<void> {
  const { interval, reports, warmup } = readFlags(args, defaults);
  const api = await startAcknowledgingApi();
  const config = { api: { url: api.url }, interval: `${interval}s` };
  const cwd = await temporaryFolder({ 'agent.config.json': JSON.stringify(config) });
  const agent = startAgent(['run'], { cwd, script: agentScript() });
  const pid = agent.child.pid ?? 0;
  const reach = (count: number) =>
    eventually(`${count} reports`, () => api.requestBytes.length >= count, {
      withinMs: (count * interval + 60) * 1_000,
    });
  await reach(warmup);
  const before = cpuSeconds(pid);
  await reach(warmup + reports);
  const perReportMs = ((cpuSeconds(pid) - before) / reports) * 1_000;
  // By now it has given back what the start took.
  const { residentMiB, anonymousMiB, proportionalMiB } = memoryOf(pid);
  agent.child.kill('SIGTERM');
  const { code, stdout } = await agent.exit;
  if (code !== 0) throw new Error(`the agent ended with ${code}: ${stdout}`);

  const share = perReportMs / 600;
  const [whole = 0] = api.requestBytes;
  const unchanged = api.requestBytes.slice(warmup).sort((a, b) => a - b)[reports >> 1] ?? 0;
  printLines(`agent daemon: ${reports} reports, one in ${interval} s, from ${agentScript()}`, [
    { name: 'processor, a report', figure: `${number(perReportMs)} ms` },
    {
      name: 'processor, a report a minute',
      figure: `${number(share)} % of a core`,
      beside: aim(share, mostShare, '%'),
    },
    {
      name: 'resident memory',
      figure: `${number(residentMiB)} MiB`,
      beside: `${aim(residentMiB, mostMiB, 'MiB')}; ${number(anonymousMiB)} its own, ${number(proportionalMiB)} with its share of files`,
    },
    { name: 'the first report, whole, on the wire', figure: `${number(whole)} bytes` },
    {
      name: 'a later report with its readings, on the wire',
      figure: `${number(unchanged)} bytes`,
      beside: aim(unchanged, mostWireBytes, 'bytes'),
    },
  ]);
  await comparePeer(Math.max(10, reports));
}

/** node_exporter is asked as Prometheus does: it collects when it is scraped. */
async function comparePeer(scrapes: number): Promise<void> {
  const title = 'node_exporter, a scrape';
  if (!isInstalled('prometheus-node-exporter')) {
    console.log(`  ${title}: not installed`);
    return;
  }
  const { url, child } = await startPeer();
  for (let scrape = 0; scrape < 3; scrape += 1) await (await fetch(url)).text();
  const before = cpuSeconds(child.pid ?? 0);
  for (let scrape = 0; scrape < scrapes; scrape += 1) await (await fetch(url)).text();
  const perScrapeMs = ((cpuSeconds(child.pid ?? 0) - before) / scrapes) * 1_000;
  const { residentMiB } = memoryOf(child.pid ?? 0);
  child.kill();
  printLines(`beside it: ${title}`, [
    { name: 'processor, a scrape (readings only, no inventory)', figure: `${number(perScrapeMs)} ms` },
    { name: 'resident memory', figure: `${number(residentMiB)} MiB` },
  ]);
}

function cpuSeconds(pid: number): number {
  // The name in parentheses may hold blanks; utime to cstime are fields 14 to 17 of proc_pid_stat(5).
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0) / ticksPerSecond;
}

/** Proportional: what several processes have in common counts by halves, thirds and so on. */
function memoryOf(pid: number): { residentMiB: number; anonymousMiB: number; proportionalMiB: number } {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(rollup)?.[1]) / 1_024;
  return { residentMiB: field('Rss'), anonymousMiB: field('Anonymous'), proportionalMiB: field('Pss') };
}
