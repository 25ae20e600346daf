/** daemon-log: the daemon's log: a JSON object a line for machines, or lines for people. */
import type { Log } from './run.ts';

export const logFormats = ['json', 'pretty'] as const;
export const logLevels = ['info', 'warn', 'error'] as const;

export type LogSettings = {
  /** Null is pretty on a terminal, and JSON elsewhere. */
  format: (typeof logFormats)[number] | null;
  /** What is less than this is left out. */
  level: (typeof logLevels)[number];
};

export type DaemonLog = Log & {
  /** From the next line on. */
  change(settings: LogSettings): Promise<void>;
};

/** Lines that wait while the log cannot be written, a full disk for example; those after them are lost. */
const maxLogBacklog = 1_048_576;

export async function openDaemonLog(
  settings: LogSettings,
  output: { fd: number; isTTY: boolean },
): Promise<DaemonLog> {
  const { pino } = await import('pino');
  // Synchronously: otherwise what is written while the process ends overtakes the line before it.
  const destination = pino.destination({ fd: output.fd, sync: true, maxLength: maxLogBacklog });
  // Reports are worth more than the lines about them.
  destination.on('error', () => {});
  let pretty: ((line: string) => string) | null = null;
  // Not pino-pretty's own stream, which would be behind when the process ends.
  const stream = { write: (line: string) => destination.write(pretty ? pretty(line) : line) };
  const log = pino({ name: 'os-inspector-agent' }, stream);
  const change = async ({ format, level }: LogSettings) => {
    const isPretty = (format ?? (output.isTTY ? 'pretty' : 'json')) === 'pretty';
    pretty = isPretty ? await loadPretty(output.isTTY) : null;
    log.level = level;
  };
  await change(settings);
  return Object.assign(log, { change });
}

/** Loaded only here, as it takes some memory and who runs many hosts reads JSON. */
async function loadPretty(colorize: boolean): Promise<(line: string) => string> {
  const { prettyFactory } = await import('pino-pretty');
  return prettyFactory({
    colorize,
    ignore: 'pid,hostname,name',
    translateTime: 'SYS:yyyy-mm-dd HH:MM:ss.l',
    singleLine: true,
  });
}
