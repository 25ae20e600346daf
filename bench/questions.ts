/**
 * questions: all that `queries` asks of an index, and where it makes sense the same of plain NDJSON in DuckDB.
 */
import { changeQuestions } from './questions/changes.ts';
import { filterQuestions } from './questions/filters.ts';
import { hostQuestions } from './questions/hosts.ts';
import type { Aim, Question } from './questions/question.ts';
import { reportQuestions } from './questions/reports.ts';
import { valueQuestions } from './questions/values.ts';

const ofPage: Aim = { p50: 5, p99: 50 };
const ofHosts: Aim = { p50: 100, p99: null };
const ofManyHosts: Aim = { p50: 1_000, p99: null };
/** With more than these there are many. */
const mostHosts = 10_000;

/** Each with what it may take; null for what looks at all reports there are. */
export async function makeQuestions(hosts: number): Promise<(Question & { aim: Aim | null })[]> {
  const aims = { page: ofPage, hosts: hosts > mostHosts ? ofManyHosts : ofHosts, all: null };
  return [
    ...reportQuestions,
    ...hostQuestions,
    ...changeQuestions,
    ...valueQuestions,
    ...(await filterQuestions()),
  ].map((question) => ({ ...question, aim: aims[question.looksAt] }));
}
