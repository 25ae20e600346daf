/** api-log: a log of the API that keeps its lines for tests to look at. */
import { type Logger, pino } from 'pino';

export type ApiLog = {
  logger: Logger;
  // biome-ignore lint/suspicious/noExplicitAny: each line has fields of its own
  lines(): any[];
  /** As they would have been written. */
  text(): string;
};

export function apiLog(): ApiLog {
  const written: string[] = [];
  const logger = pino({ level: 'trace' }, { write: (line: string) => written.push(line) });
  return { logger, lines: () => written.map((line) => JSON.parse(line)), text: () => written.join('') };
}
