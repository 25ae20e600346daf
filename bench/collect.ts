/**
 * collect: what a collection costs, beside systeminformation called naively and beside facter.
 *
 * `npm run bench -- collect`. Each figure is a median of runs that take turns, so that a machine that
 * slows down slows all of them; CPU counts the processes that were started as well.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { childrenCpuMs } from '../agent/plugins-test/cpu-time.ts';
import { isInstalled } from './agent/peers.ts';
import { number, printLines, readFlags, runBenchmark } from './benchmark.ts';
import type { Cost, Sample, Way } from './collect-sample.ts';
import { median } from './median.ts';

const defaults = { runs: 5 };
const sampleFile = join(import.meta.dirname, 'collect-sample.ts');

type Row = { name: string; cost: Cost };

export async function main(args: string[] = []): Promise<void> {
  const { runs } = readFlags(args, defaults);
  compareInProcess(runs);
  compareWholeProcesses(runs);
}

/** A daemon's cost: the first collection, and every one after it. */
function compareInProcess(runs: number): void {
  const samples: Record<Way, Sample[]> = { plugins: [], systeminformation: [] };
  for (let run = 0; run < runs; run++) {
    for (const way of Object.keys(samples) as Way[]) {
      const { stdout } = runProcess(process.execPath, [sampleFile, way]);
      samples[way].push(JSON.parse(stdout));
    }
  }
  for (const turn of ['first', 'again'] as const) {
    const rows = (Object.keys(samples) as Way[]).map((way) => ({
      name: way === 'plugins' ? 'os-inspector' : 'systeminformation, naively',
      cost: medianCost(samples[way].flatMap((sample) => sample[turn])),
    }));
    printTable(`{cpu, user, os, network} in one process, ${turn}`, rows);
  }
}

/** The cost of a program that is started, tells what it found and ends. */
function compareWholeProcesses(runs: number): void {
  const title = 'one whole process, start to end';
  if (!isInstalled('facter')) {
    console.log(`\ncollect: ${title}\n  facter is not installed: left out`);
    return;
  }
  const node: Cost[] = [];
  const facter: Cost[] = [];
  for (let run = 0; run < runs; run++) {
    node.push(runProcess(process.execPath, [sampleFile, 'once']).cost);
    facter.push(runProcess('facter', ['--json', 'os', 'processors', 'networking']).cost);
  }
  printTable(title, [
    { name: 'os-inspector', cost: medianCost(node) },
    { name: 'facter os processors networking', cost: medianCost(facter) },
  ]);
}

/** @throws Error when the program fails: figures of a failure would look good */
function runProcess(command: string, args: string[]): { stdout: string; cost: Cost } {
  const before = { wall: performance.now(), cpu: childrenCpuMs() };
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  const wallMs = performance.now() - before.wall;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${error?.message ?? stderr}`);
  return { stdout, cost: { wallMs, cpuMs: childrenCpuMs() - before.cpu, processes: 1 } };
}

function medianCost(costs: Cost[]): Cost {
  return {
    wallMs: median(costs.map(({ wallMs }) => wallMs)),
    cpuMs: median(costs.map(({ cpuMs }) => cpuMs)),
    processes: median(costs.map(({ processes }) => processes)),
  };
}

/** The last column is how many times the first row's time a row takes. */
function printTable(title: string, rows: Row[]): void {
  const base = rows[0]?.cost.wallMs ?? Number.NaN;
  printLines(
    `collect: ${title}`,
    rows.map(({ name, cost }) => ({
      name,
      figure: `${number(cost.wallMs)} ms`,
      beside: `${number(cost.cpuMs)} ms of CPU, ${cost.processes} processes, ${number(cost.wallMs / base)} × the first line`,
    })),
  );
}

if (import.meta.main) await runBenchmark(main);
