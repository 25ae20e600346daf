/** operations: how much is logged, and how a stop goes. */
import { parseChoice, parseDurationWithin } from './parse.ts';
import type { ReadSetting } from './read-setting.ts';

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;

export type OperationSettings = {
  /** What is less than this is left out. @default info */
  logLevel: (typeof logLevels)[number];
  /** How long it goes on answering after it was told to stop, while it says that it is not ready. @default 0 */
  stopDelayMs: number;
  /** After so long in all it has ended, whatever is under way. @default 20 s */
  stopTimeoutMs: number;
};

export const operationDefaults = { LOG_LEVEL: 'info', STOP_DELAY: '0s', STOP_TIMEOUT: '20s' } as const;

const maxStopMs = 60 * 60 * 1000;

export function readOperations(read: ReadSetting<keyof typeof operationDefaults>): OperationSettings {
  const stopTimeoutMs = read('STOP_TIMEOUT', (value) => parseDurationWithin(value, 1_000, maxStopMs, '20s'));
  return {
    logLevel: read('LOG_LEVEL', (value) => parseChoice(value, logLevels)),
    stopDelayMs: read('STOP_DELAY', (value) =>
      parseDurationWithin(value, 0, stopTimeoutMs || maxStopMs, '5s'),
    ),
    stopTimeoutMs,
  };
}
