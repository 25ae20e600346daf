/** recording-log: an agent's log that keeps its lines for tests to look at. */
import type { Log } from '../../agent/run.ts';

export type Line = { level: string; message: string; fields: Record<string, unknown> };
export type RecordingLog = Log & { lines: Line[] };

export function recordingLog(): RecordingLog {
  const lines: Line[] = [];
  const at = (level: string) => (fields: Record<string, unknown>, message: string) => {
    lines.push({ level, message, fields });
  };
  return { lines, info: at('info'), warn: at('warn'), error: at('error') };
}
