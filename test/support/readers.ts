/** readers: clients that ask a real API one question after another, and note what goes wrong. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Answer } from './api.ts';
import { answerOf } from './api-process.ts';

export type Reader = {
  /** How many answers were errors, by code. */
  failed: ReadonlyMap<string, number>;
  /** How many were not. */
  answered(): number;
  stop(): Promise<void>;
};

const questions = [
  '{ reports(first: 20) { totalCount nodes { id os { kernel } host { name } } } }',
  '{ hosts(first: 20) { totalCount nodes { name os { kernel } } } }',
  '{ reports(first: 5, filter: { os: { kernel: { eq: "6.1.3" } } }) { nodes { id } } }',
];

/** Asks all the time, a few times a second. @param onAnswer told of each that has no errors */
export function startReader(url: string, onAnswer: (data: Answer['data']) => void = () => {}): Reader {
  const failed = new Map<string, number>();
  let answered = 0;
  let stopping = false;

  async function read(): Promise<void> {
    for (let turn = 0; !stopping; turn += 1) {
      const { data, errors = [] } = await answerOf(url, questions[turn % questions.length] ?? '');
      for (const { extensions } of errors)
        failed.set(extensions.code, (failed.get(extensions.code) ?? 0) + 1);
      if (errors.length === 0) {
        answered += 1;
        onAnswer(data);
      }
      await pause(100);
    }
  }

  const reading = read();
  // Told when it is stopped, and not before.
  reading.catch(() => {});
  return {
    failed,
    answered: () => answered,
    stop() {
      stopping = true;
      return reading;
    },
  };
}
