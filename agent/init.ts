/**
 * init: makes a config with comments, from what the command line says and what is asked for on a terminal.
 *
 * Nothing is written unless all of it is right, and nothing is overwritten unasked.
 */
import { access, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { builtinPluginNames } from '../plugins/index.ts';
import type { InitFlags } from './cli.ts';
import { checkConfig } from './config.ts';
import { searchPlaces } from './config-file.ts';
import { configText } from './config-text.ts';
import { closePlugins, loadConfiguredPlugins } from './configured-plugins.ts';
import { errorText, OperatorError } from './error-text.ts';
import { makeFolder } from './make-folder.ts';
import { formatProblems, type Problem } from './problem.ts';

/** What is given is wrong or not enough; the message says what to do. Nothing was written. */
export class InitError extends OperatorError {
  override name = 'InitError';
}

export type Terminal = {
  input: NodeJS.ReadableStream;
  output: NodeJS.WritableStream;
  /** Whether somebody is there to answer. */
  isOne: boolean;
};

export type InitParts = {
  cwd: string;
  init: InitFlags;
  terminal: Terminal;
  onStray(use: string, error: string): void;
  stop: AbortSignal;
};

export type Initialised = {
  /** Absolute. */
  path: string;
  /** What to do now, as text. */
  nextSteps(isAnswering: boolean): string;
};

/** @throws InitError */
export async function initConfig(parts: InitParts): Promise<Initialised> {
  const { cwd, init, terminal } = parts;
  const path = resolve(cwd, init.output ?? 'agent.config.yaml');
  if (!/\.ya?ml$/.test(path)) throw new InitError('--output must end in .yaml or .yml: the config is YAML');
  if (!init.force) await refuseExisting(path);
  if (!init.yes && !terminal.isOne && init.url === null) {
    const how = 'name at least --url, as in init --url http://127.0.0.1:4000/graphql --yes';
    throw new InitError(`init asks on a terminal, and this is none: ${how}`);
  }
  if (init.yes && init.url === null) throw new InitError('--url is missing: with --yes it is not asked for');
  const questions = questionsFor(dirname(path), parts);
  const problems: Problem[] = [];
  for (const { flag, given, check } of questions) {
    const problem = given === null ? null : await check(given);
    if (problem) problems.push({ path: flag, message: problem });
  }
  if (problems.length > 0) throw new InitError(formatProblems('the command line', problems));
  const isAsking = !init.yes && terminal.isOne;
  const answers = isAsking
    ? await ask(questions, parts)
    : questions.map(({ given, preset }) => given ?? preset);
  const [[url = ''] = [], [interval = ''] = [], labels = [], plugins = []] = answers;
  const text = await configText({ url, interval, labels: toLabels(labels), plugins });
  await write(path, text, init.force);
  return { path, nextSteps: (isAnswering) => nextSteps(path, cwd, isAnswering) };
}

type Question = {
  flag: string;
  text: string;
  /** As the command line says it; null where it does not. */
  given: readonly string[] | null;
  /** What no answer means. */
  preset: readonly string[];
  /** Whether an answer is several, separated by commas; else it is one. */
  isList: boolean;
  /** What is wrong with an answer; null for one that is right. */
  check(answer: readonly string[]): Promise<string | null>;
};

/** Of the address, the interval, the labels and the plugins. */
function questionsFor(folder: string, { init, onStray }: InitParts): Question[] {
  const of = (config: object) => checkConfig(config).problems[0]?.message ?? null;
  return [
    {
      ...{ flag: '--url', text: 'GraphQL endpoint of the API', given: one(init.url) },
      ...{ preset: ['http://127.0.0.1:4000/graphql'], isList: false },
      check: async ([url]) => of({ api: { url } }),
    },
    {
      ...{ flag: '--interval', text: 'time from one report to the next', given: one(init.interval) },
      ...{ preset: ['60s'], isList: false },
      check: async ([interval]) => of({ interval }),
    },
    {
      ...{ flag: '--label', text: 'labels as name=value, separated by commas' },
      ...{ given: some(init.labels), preset: [], isList: true },
      async check(labels) {
        const wrong = labels.find((label) => !/^[^=]+=/.test(label));
        if (wrong !== undefined) return `${wrong} must be as name=value`;
        const names = labels.map((label) => Object.keys(toLabels([label]))[0]);
        const twice = names.find((name, i) => names.indexOf(name) !== i);
        return twice === undefined ? of({ labels: toLabels(labels) }) : `${twice} is given twice`;
      },
    },
    {
      ...{ flag: '--plugin', text: 'plugins, separated by commas' },
      ...{ given: some(init.plugins), preset: builtinPluginNames, isList: true },
      async check(plugins) {
        const { problems, plugins: entries } = checkConfig({ plugins });
        if (problems[0]) return problems[0].message;
        const loaded = await loadConfiguredPlugins(entries, folder, { onStray });
        await closePlugins(loaded.plugins);
        return loaded.problems[0]?.message ?? null;
      },
    },
  ];
}

async function ask(
  questions: readonly Question[],
  { terminal, stop }: InitParts,
): Promise<(readonly string[])[]> {
  const { input, output } = terminal;
  const asking = createInterface({ input, output });
  const closed = new AbortController();
  asking.once('close', () => closed.abort());
  const signal = AbortSignal.any([stop, closed.signal]);
  const answers: (readonly string[])[] = [];
  try {
    for (const { text, given, preset, isList, check } of questions) {
      const prompt = `${text} [${preset.join(', ') || 'none'}]: `;
      for (let answer = given; ; answer = null) {
        if (answer === null) {
          const line = (await asking.question(prompt, { signal })).trim();
          const answered = isList ? listed(line) : [line];
          answer = line === '' ? preset : answered;
        }
        const problem = answer === given ? null : await check(answer);
        if (problem === null) {
          answers.push(answer);
          break;
        }
        output.write(`  ${problem}\n`);
      }
    }
    return answers;
  } catch (error) {
    stop.throwIfAborted();
    if (!closed.signal.aborted) throw error;
    throw new OperatorError('init was given up: nothing was written');
  } finally {
    asking.close();
  }
}

function one(given: string | null): string[] | null {
  return given === null ? null : [given];
}

function some(given: readonly string[]): readonly string[] | null {
  return given.length === 0 ? null : given;
}

function listed(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function toLabels(labels: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    labels.map((label) => {
      const [name = '', ...value] = label.split('=');
      return [name.trim(), value.join('=').trim()];
    }),
  );
}

/** One that is found before the new one would be used in its stead. */
async function refuseExisting(path: string): Promise<void> {
  const names = new Set([basename(path), ...searchPlaces.filter((name) => name !== 'package.json')]);
  for (const name of names) {
    const found = join(dirname(path), name);
    const isThere = await access(found).then(
      () => true,
      () => false,
    );
    if (isThere) throw new InitError(`there is ${found} already: --force writes all the same`);
  }
}

async function write(path: string, text: string, force: boolean): Promise<void> {
  try {
    await makeFolder(dirname(path));
    await writeFile(path, text, { flag: force ? 'w' : 'wx' });
  } catch (cause) {
    throw new InitError(`cannot write ${path}: ${errorText(cause)}`, { cause });
  }
}

function nextSteps(path: string, cwd: string, isAnswering: boolean): string {
  const isFound = dirname(path) === cwd || dirname(path) === '/etc/os-inspector';
  const option = isFound
    ? ''
    : ` --config ${relative(cwd, path).startsWith('..') ? path : relative(cwd, path)}`;
  const first = isAnswering
    ? ''
    : `  os-inspector-agent check${option}   once the API is there; "npm start" in a checkout starts one\n`;
  return `\nnext:\n${first}  os-inspector-agent once${option}    sends one report\n  os-inspector-agent run${option}     sends one every interval\n`;
}
