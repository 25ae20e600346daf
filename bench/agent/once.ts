/** once: whole programs from start to end: `once` until its report is acknowledged, beside what others take to print an inventory. */
import { spawnSync } from 'node:child_process';
import { childrenCpuMs } from '../../agent/plugins-test/cpu-time.ts';
import { startAcknowledgingApi } from '../../test/support/acknowledging-api.ts';
import { startAgent } from '../../test/support/agent-process.ts';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import { aim, type Line, number, printLines, readFlags } from '../benchmark.ts';
import { median } from '../median.ts';
import { agentScript } from './agent-script.ts';
import { inventories, isInstalled } from './peers.ts';

const defaults = { runs: 5 };
const mostMs = 300;
/** Those whose facts are those of facter's three. */
const core = ['cpu', 'user', 'os', 'network'];

type Cost = { wallMs: number; cpuMs: number };

export async function main(args: string[] = []): Promise<void> {
  const { runs } = readFlags(args, defaults);
  const api = await startAcknowledgingApi();
  const config = { api: { url: api.url }, plugins: core };
  const cwd = await temporaryFolder({ 'agent.config.json': JSON.stringify(config) });
  const ours: Cost[] = [];
  const theirs = new Map<string, Cost[]>(inventories.map(({ name }) => [name, []]));
  // In turns, so that a machine that slows down slows all of them.
  for (let run = 0; run < runs; run += 1) {
    ours.push(await measure(() => startAgent(['once'], { cwd, script: agentScript() }).exit));
    for (const { name, command, args } of inventories) {
      if (!isInstalled(command)) continue;
      // What a peer says of itself by its exit code is its own affair.
      const cost = await measure(async () => {
        spawnSync(command, args, { stdio: 'ignore' });
        return { code: 0 };
      });
      theirs.get(name)?.push(cost);
    }
  }
  const own = medianOf(ours);
  const lines = [...theirs].map(([name, costs]): Line => {
    if (costs.length === 0) return { name, figure: 'not installed' };
    const { wallMs, cpuMs } = medianOf(costs);
    const times = `${number(wallMs / own.wallMs)} × the wall, ${number(cpuMs / own.cpuMs)} × the CPU of ours`;
    return { name, figure: `${number(wallMs)} ms`, beside: `${number(cpuMs)} ms of CPU; ${times}` };
  });
  printLines(`agent once: median of ${runs}, from ${agentScript()}`, [
    {
      name: `once with ${core.join(', ')}: start to acknowledged`,
      figure: `${number(own.wallMs)} ms`,
      beside: `${number(own.cpuMs)} ms of CPU; ${aim(own.wallMs, mostMs, 'ms')}`,
    },
    ...lines,
  ]);
}

/** @throws Error when the program fails: figures of a failure would look good */
async function measure(run: () => Promise<{ code: number | null }>): Promise<Cost> {
  const before = { wall: performance.now(), cpu: childrenCpuMs() };
  const { code } = await run();
  if (code !== 0) throw new Error(`ended with ${code}`);
  return { wallMs: performance.now() - before.wall, cpuMs: childrenCpuMs() - before.cpu };
}

function medianOf(costs: Cost[]): Cost {
  return {
    wallMs: median(costs.map(({ wallMs }) => wallMs)),
    cpuMs: median(costs.map(({ cpuMs }) => cpuMs)),
  };
}
