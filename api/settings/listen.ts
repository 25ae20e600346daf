/** listen: where the API is reached: `HOST` and `PORT`. */
import type { ReadSetting } from './read-setting.ts';

export type ListenSettings = {
  /** @default 127.0.0.1: reachable from this machine only */
  host: string;
  /** 0 takes any free port. @default 4000 */
  port: number;
};

export const listenDefaults = { HOST: '127.0.0.1', PORT: '4000' } as const;

export function readListen(read: ReadSetting<keyof typeof listenDefaults>): ListenSettings {
  return { host: read('HOST', (value) => value), port: read('PORT', parsePort) };
}

function parsePort(value: string): number {
  const port = Number(value);
  if (!/^\d+$/.test(value) || port > 65_535) {
    throw new Error(`must be a whole number from 0 to 65535, but is ${JSON.stringify(value)}`);
  }
  return port;
}
