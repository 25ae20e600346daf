/** query-model-api: an API of either dialect that holds a made-up history, and its answers to many questions at once. */
import { vi } from 'vitest';
import type { StoredReport } from '../../api/log/stored-report.ts';
import { type Answer, dataOf, openTestApi, type TestApi } from './api.ts';
import { hasPostgres, postgresNeeded, startPostgres } from './postgres.ts';
import { historyEnd, type Picker } from './query-model-history.ts';
import { device } from './query-model-plugin.ts';

export const dialects = [
  { dialect: 'SQLite', can: true, needed: '' },
  { dialect: 'PostgreSQL', can: hasPostgres(), needed: postgresNeeded },
] as const;
export type Dialect = (typeof dialects)[number]['dialect'];

/** Questions are asked at `historyEnd`, whenever the test runs. */
export function stopClock(): void {
  vi.useFakeTimers({ toFake: ['Date'], now: historyEnd });
}

/**
 * An API with nothing in it. A database of PostgreSQL orders text as a dictionary does, where nobody says otherwise.
 *
 * @param longListLength of a list from which on the index shares its elements; those of the model have a few
 */
export async function openModelled(dialect: Dialect, longListLength?: number): Promise<TestApi> {
  const server = dialect === 'PostgreSQL' ? await startPostgres() : null;
  return openTestApi({
    plugins: [device],
    longListLength,
    ...(server ? { postgres: await server.createDatabase('natural') } : {}),
  });
}

const hourMs = 3_600_000;

/** Brings the copies in segments of any order, a few to a segment. */
export async function deliverAll(
  api: TestApi,
  copies: readonly StoredReport[],
  picker: Picker,
): Promise<void> {
  const byHour = Map.groupBy(copies, ({ receivedAt }) => Math.floor(Date.parse(receivedAt) / hourMs));
  const segments: StoredReport[][] = [];
  for (const ofHour of byHour.values()) {
    for (const copy of ofHour) {
      const last = segments.at(-1);
      const fits = last !== undefined && last[0] !== undefined && ofHour.includes(last[0]);
      // No two copies of a report are in one segment.
      if (fits && picker.chance(0.6) && !last.some(({ id }) => id === copy.id)) last.push(copy);
      else segments.push([copy]);
    }
  }
  for (const segment of shuffled(segments, picker)) await api.deliver(segment);
}

export function shuffled<T>(values: readonly T[], { random }: Picker): T[] {
  return values
    .map((value) => ({ value, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ value }) => value);
}

export type Question = { field: string; variables: Record<string, { type: string; value: unknown }> };

/** One request may cost only so much, and each of these asks for a full page. */
const questionsAtOnce = 10;

/**
 * Asks every question, several to a request.
 *
 * @param questions a field of Query each, whose variables are `$name`
 * @returns the answers in their order
 */
export async function askAll(api: TestApi, questions: readonly Question[]): Promise<unknown[]> {
  const answers: unknown[] = [];
  for (let from = 0; from < questions.length; from += questionsAtOnce) {
    const part = questions.slice(from, from + questionsAtOnce);
    const declared: string[] = [];
    const variables: Record<string, unknown> = {};
    const fields = part.map(({ field, variables: own }, number) => {
      for (const [name, { type, value }] of Object.entries(own)) {
        declared.push(`$${name}${number}: ${type}`);
        variables[`${name}${number}`] = value;
      }
      return `q${number}: ${field.replaceAll(/\$(\w+)/g, `$$$1${number}`)}`;
    });
    const query = `query (${declared.join(', ')}) { ${fields.join('\n')} }`;
    const data = await dataOf(withQuestions(api.ask(query, variables), part));
    answers.push(...part.map((_, number) => data[`q${number}`]));
  }
  return answers;
}

/** Errors name the question that they answer. */
async function withQuestions(answer: Promise<Answer>, part: readonly Question[]): Promise<Answer> {
  const { errors, ...rest } = await answer;
  if (!errors) return rest;
  const named = errors.map((error) => {
    const [, number] = /q(\d+)/.exec(String(error.path)) ?? [];
    return { ...error, message: `${error.message} ${JSON.stringify(part[Number(number)])}` };
  });
  return { ...rest, errors: named };
}
