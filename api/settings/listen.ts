/** listen: where the API is reached: `HOST` and `PORT`. */
import { parseWholeNumber } from './parse.ts';
import type { ReadSetting } from './read-setting.ts';

export type ListenSettings = {
  /** @default 127.0.0.1: reachable from this machine only */
  host: string;
  /** 0 takes any free port. @default 4000 */
  port: number;
};

export const listenDefaults = { HOST: '127.0.0.1', PORT: '4000' } as const;

export function readListen(read: ReadSetting<keyof typeof listenDefaults>): ListenSettings {
  return {
    host: read('HOST', (value) => value),
    port: read('PORT', (value) => parseWholeNumber(value, 0, 65_535)),
  };
}
