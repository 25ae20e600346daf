/** command: what `plugins test NAME` does: runs one plugin by itself, twice, and shows what it brings and costs. */
import { isAbsolute } from 'node:path';
import { builtinPlugins } from '../../plugins/index.ts';
import { exitCodes } from '../cli.ts';
import { createCollector } from '../collect.ts';
import { checkConfig, type PluginEntry } from '../config.ts';
import { findConfig } from '../config-file.ts';
import { type ConfiguredPlugin, closePlugins, loadConfiguredPlugins } from '../configured-plugins.ts';
import { formatProblems, type Problem } from '../problem.ts';
import { createRedact, type Redact } from '../redact.ts';
import type { PluginResult } from '../report.ts';
import type { Surroundings } from '../surroundings.ts';
import { cpuMs } from './cpu-time.ts';
import { describeTrial } from './describe-trial.ts';

/** One collection, and what it cost. */
export type Run = {
  result: PluginResult;
  /** Of the agent's process and of programs that it waited for; these in hundredths of a second, on Linux only. */
  cpuMs: number;
  /** That were started; null when the collection was cut short. */
  processes: number | null;
  /** Paths that this account may not read. */
  denied: string[];
};

/** First with nothing kept, then with what the plugin kept in its cache. */
export type Trial = { configured: ConfiguredPlugin; first: Run; second: Run };

/** Exit 0 when it brought facts, or has nothing to report on this host; 1 when it failed; 2 for a wrong name or config. */
export async function testPlugin(at: Surroundings): Promise<number> {
  const { folder, value } = await findConfig(at.cwd, at.configFile);
  const entry = await entryFor(at, folder, value);
  if ('problems' in entry) return wrong(at, entry.problems);
  // A file that the config does not name is one of the folder that the operator is in.
  const { plugins, problems } = await loadConfiguredPlugins([entry], entry.isConfigured ? folder : at.cwd, {
    onStray: at.onStray,
    observe: true,
  });
  const [configured] = plugins;
  try {
    if (problems.length > 0 || !configured) return wrong(at, problems);
    const redact = createRedact(checkConfig(value).config?.redact ?? []);
    const trial = await tryTwice(configured, at, redact);
    const { plugin, timeoutMs } = configured;
    const json = { declaration: plugin, timeoutMs, runs: [trial.first, trial.second] };
    await at.print(at.json ? `${JSON.stringify(json, null, 2)}\n` : describeTrial(trial));
    const isWell = [trial.first, trial.second].every(({ result }) => !hasFailed(result));
    return isWell ? exitCodes.done : exitCodes.failed;
  } finally {
    await closePlugins(plugins);
  }
}

function hasFailed({ status }: PluginResult): boolean {
  return status === 'ERROR' || status === 'TIMEOUT';
}

function wrong(at: Surroundings, problems: readonly Problem[]): number {
  const name = at.plugin ?? '';
  at.note(
    formatProblems(
      `plugin ${name}`,
      problems.map((problem) => ({ ...problem, path: problem.path.replace(/^plugins\.\d+(\.use)?/, name) })),
    ),
  );
  return exitCodes.wrongInput;
}

type Entry = PluginEntry & { isConfigured: boolean };

/** As the config has it; else a built-in name, a file or a package with the config's defaults. */
async function entryFor(
  { plugin, onStray }: Surroundings,
  folder: string,
  value: unknown,
): Promise<Entry | { problems: Problem[] }> {
  const name = plugin ?? '';
  const { config, plugins } = checkConfig(value);
  const entries = config?.plugins ?? plugins;
  const configured = entries.find((entry) => namesOf(entry).includes(name));
  if (configured) return { ...configured, isConfigured: true };
  // What reports call it, which only the plugin itself knows.
  for (const entry of entries.filter(({ use }) => use !== 'exec' && !Object.hasOwn(builtinPlugins, use))) {
    const loaded = await loadConfiguredPlugins([entry], folder, { onStray });
    await closePlugins(loaded.plugins);
    if (loaded.plugins[0]?.plugin.name === name) return { ...entry, isConfigured: true };
  }
  const alone = checkConfig({ plugins: [name] });
  const [entry] = alone.plugins;
  return entry ? { ...entry, isConfigured: isAbsolute(name) } : { problems: alone.problems };
}

/** `./plugins/rack.ts` is also called `rack`; a command goes by its name alone. */
function namesOf({ use, name }: PluginEntry): string[] {
  if (use === 'exec') return name === null ? [] : [name];
  return [use, use.replace(/^.*\//, '').replace(/\.\w+$/, '')];
}

async function tryTwice(
  configured: ConfiguredPlugin,
  { root, stop }: Surroundings,
  redact: Redact,
): Promise<Trial> {
  const collector = createCollector([configured], { root, platform: process.platform });
  const runOnce = async (): Promise<Run> => {
    const before = cpuMs();
    const [result] = redact(await collector.collect(stop));
    const after = cpuMs();
    const observed = configured.source.observed?.() ?? null;
    return {
      result: result as PluginResult,
      cpuMs: Math.round((after - before) * 10) / 10,
      processes: observed?.processes ?? null,
      denied: observed?.denied ?? [],
    };
  };
  return { configured, first: await runOnce(), second: await runOnce() };
}
