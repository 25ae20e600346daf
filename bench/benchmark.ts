/** benchmark: what every benchmark shares: its command line, its end, and how figures are printed. */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { messageOf } from '../plugins/message-of.ts';
import { endAll } from '../test/support/cleanup.ts';

/** Runs a benchmark as a program of its own; ends all that it started, also when it fails or is told to stop. */
export async function runBenchmark(main: (args: string[]) => Promise<void>): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => endAll().finally(() => process.exit(1)));
  }
  try {
    await main(process.argv.slice(2));
  } catch (cause) {
    console.error(cause instanceof UsageError ? cause.message : cause);
    process.exitCode = 1;
  } finally {
    await endAll();
  }
}

type Benchmark = { main(args: string[]): Promise<void> };

/**
 * Runs those that the command line names, or all of them; flags go to each that is named, and are those of its file's
 * `defaults`.
 */
export function runNamed(
  script: string,
  benchmarks: Record<string, () => Promise<Benchmark>>,
): Promise<void> {
  return runBenchmark(async (args) => {
    const firstFlag = args.findIndex((arg) => arg.startsWith('-'));
    const names = firstFlag === -1 ? args : args.slice(0, firstFlag);
    const flags = args.slice(names.length);
    const isKnown = names.every((name) => Object.hasOwn(benchmarks, name));
    if (!isKnown || (flags.length > 0 && names.length === 0)) {
      const known = Object.keys(benchmarks).join(' | ');
      throw new UsageError(`usage: npm run ${script} -- [${known}]… [flags of those]`);
    }
    for (const name of names.length > 0 ? names : Object.keys(benchmarks)) {
      const { main } = await (benchmarks[name] as () => Promise<Benchmark>)();
      await main(flags);
      // What one started would run beside the next.
      await endAll();
    }
  });
}

/** Told without a stack. */
export class UsageError extends Error {}

type Value = number | readonly number[] | boolean | string;

type Widened<T> = T extends number
  ? number
  : T extends boolean
    ? boolean
    : T extends string
      ? string
      : readonly number[];

/**
 * Reads `--name value` for the flags that have a default here; a list of numbers is separated by commas,
 * and a flag that is false by default takes no value.
 */
export function readFlags<const T extends Record<string, Value>>(
  args: string[],
  defaults: T,
): { [K in keyof T]: Widened<T[K]> } {
  const options: ParseArgsOptionsConfig = Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => [
      name,
      { type: typeof value === 'boolean' ? 'boolean' : 'string' },
    ]),
  );
  try {
    const { values } = parseArgs({ args, options });
    const read = Object.entries(defaults).map(([name, fallback]) => [
      name,
      values[name] === undefined ? fallback : parse(name, String(values[name]), fallback),
    ]);
    return Object.fromEntries(read);
  } catch (cause) {
    const known = Object.entries(defaults).map(([name, value]) => `  --${name}  (${value})`);
    throw new UsageError(`${messageOf(cause)}\n\nFlags and their defaults:\n${known.join('\n')}`);
  }
}

function parse(name: string, text: string, fallback: Value): Value {
  if (typeof fallback === 'boolean') return text === 'true';
  if (typeof fallback === 'string') return text;
  const numbers = text.split(',').map((part) => Number(part.replaceAll('_', '')));
  if (!numbers.every((number) => number > 0)) throw new Error(`--${name} must be numbers above 0: ${text}`);
  const [first = 0] = numbers;
  return typeof fallback === 'number' ? first : numbers;
}

/** A figure, and what stands beside it: the ratio to a peer, a limit or an aim. */
export type Line = { name: string; figure: string; beside?: string };

export function printLines(title: string, lines: readonly Line[]): void {
  console.log(`\n${title}`);
  for (const line of lines) printLine(line);
}

export function printLine({ name, figure, beside = '' }: Line): void {
  console.log(`  ${name.padEnd(58)} ${figure.padStart(22)}   ${beside}`.trimEnd());
}

/** Says whether a figure is within its aim, and which that is. */
export function aim(figure: number, most: number, unit: string): string {
  return `aim: at most ${number(most)} ${unit}, ${figure <= most ? 'met' : 'MISSED'}`;
}

/** 12,345 or 0.123: as many digits as say something. */
export function number(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3;
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}
