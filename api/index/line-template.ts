/**
 * line-template: recognises a stored line that says the same as an earlier one of its host but for what was measured.
 *
 * Nearly all lines do. Then neither the line has to be parsed nor its facts hashed: the text between the measured
 * values is compared as a whole. A rebuild spends its time on this, and without it six times as much.
 * Whatever is not exactly in the form in which we write it does not match, and is parsed.
 */
import type { StoredReport } from '../log/stored-report.ts';

export type LineMatch = {
  id: string;
  collectedAt: number;
  receivedAt: number;
  /** The values that were measured, as a JSON list without brackets. */
  measured: string;
};

/** The text before, between and after what differs: id, two instants, then the values. */
export type LineTemplate = { pieces: readonly string[]; isDuration: readonly boolean[] };

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const instantPattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const uuidLength = 36;
const instantLength = 24;
/** Text that is written as it is: no escapes, no half pairs. */
const plainText = /^"[^"\\\p{Cc}\p{Cs}]*"$/u;
/** Where the id of the host begins in every line that we write. */
const hostIdAt = '{"format":1,"id":"'.length + uuidLength + '","host":{"id":"'.length;

/** The id of a line's host, if it is a line of ours. */
export function hostIdOf(line: string): string {
  return line.slice(hostIdAt, hostIdAt + uuidLength);
}

/** Null when the line is not in the form in which we write it. */
export function makeLineTemplate(line: string, report: StoredReport): LineTemplate | null {
  const pieces: string[] = [];
  /** Of what stands after each piece. */
  const lengths: number[] = [];
  const isDuration: boolean[] = [];
  let text = '';
  const add = (piece: string) => {
    text += piece;
  };
  const cut = (length: number) => {
    pieces.push(text);
    lengths.push(length);
    text = '';
  };
  const value = (measured: unknown, duration: boolean) => {
    cut(JSON.stringify(measured)?.length ?? 0);
    isDuration.push(duration);
  };
  const addReadings = (readings: unknown): void => {
    if (Array.isArray(readings)) {
      add('[');
      for (const [index, element] of readings.entries()) {
        if (index > 0) add(',');
        addReadings(element);
      }
      add(']');
    } else if (typeof readings === 'object' && readings !== null) {
      add('{');
      for (const [index, [name, inner]] of Object.entries(readings).entries()) {
        add(`${index > 0 ? ',' : ''}${JSON.stringify(name)}:`);
        addReadings(inner);
      }
      add('}');
    } else {
      value(readings, false);
    }
  };

  add(`{"format":${report.format},"id":"`);
  cut(uuidLength);
  add(`","host":${JSON.stringify(report.host)},"agentVersion":${JSON.stringify(report.agentVersion)}`);
  add(`,"intervalSeconds":${JSON.stringify(report.intervalSeconds)},"collectedAt":"`);
  cut(instantLength);
  add('","receivedAt":"');
  cut(instantLength);
  add('","results":[');
  for (const [index, result] of report.results.entries()) {
    const { plugin, version, status, facts, readings, error } = result;
    add(`${index > 0 ? ',' : ''}{"plugin":${JSON.stringify(plugin)},"version":${JSON.stringify(version)}`);
    add(`,"status":"${status}","durationMs":`);
    value(result.durationMs, true);
    add(`,"facts":${JSON.stringify(facts)},"readings":`);
    // Null readings have no shape, and so no value either.
    if (readings === null) add('null');
    else addReadings(readings);
    add(`,"error":${JSON.stringify(error)}}`);
  }
  if (report.droppedReports === undefined) {
    add(']}');
  } else {
    add('],"droppedReports":');
    value(report.droppedReports, true);
    add('}');
  }
  cut(0);
  // Parts of the line itself: pieces that were put together would take twice the memory.
  let at = 0;
  const parts = pieces.map((piece, index) => {
    const start = at;
    at = start + piece.length + (lengths[index] ?? 0);
    return line.slice(start, start + piece.length);
  });
  if (parts.some((part, index) => part !== pieces[index])) return null;
  const template = { pieces: parts, isDuration };
  return matchLine(template, line) ? template : null;
}

export function matchLine({ pieces, isDuration }: LineTemplate, line: string): LineMatch | null {
  let at = 0;
  let piece = 0;
  const skip = (): boolean => {
    const text = pieces[piece] ?? '';
    // Not startsWith, which goes character by character and takes twenty times as long.
    if (line.slice(at, at + text.length) !== text) return false;
    at += text.length;
    piece += 1;
    return true;
  };
  const take = (length: number): string => {
    at += length;
    return line.slice(at - length, at);
  };
  if (!skip()) return null;
  const id = take(uuidLength);
  if (!skip()) return null;
  const collected = take(instantLength);
  if (!skip()) return null;
  const received = take(instantLength);
  if (!skip()) return null;
  let measured = '';
  for (const duration of isDuration) {
    const end = endOfValue(line, at);
    const value = line.slice(at, end);
    if (!isWrittenByUs(value, duration)) return null;
    measured += measured === '' ? value : `,${value}`;
    at = end;
    if (!skip()) return null;
  }
  if (at !== line.length || !uuidPattern.test(id)) return null;
  const [collectedAt, receivedAt] = [toInstant(collected), toInstant(received)];
  if (Number.isNaN(collectedAt) || Number.isNaN(receivedAt)) return null;
  return { id, collectedAt, receivedAt, measured };
}

const quote = 0x22;
const comma = 0x2c;
const closingBracket = 0x5d;
const closingBrace = 0x7d;

function endOfValue(line: string, start: number): number {
  if (line.charCodeAt(start) === quote) return line.indexOf('"', start + 1) + 1;
  let end = start;
  for (; end < line.length; end += 1) {
    const code = line.charCodeAt(end);
    if (code === comma || code === closingBrace || code === closingBracket) break;
  }
  return end;
}

function isWrittenByUs(value: string, duration: boolean): boolean {
  if (value === 'null') return true;
  if (value !== '' && String(Number(value)) === value) return Number.isFinite(Number(value));
  return !duration && (value === 'true' || value === 'false' || plainText.test(value));
}

function toInstant(text: string): number {
  return instantPattern.test(text) ? Date.parse(text) : Number.NaN;
}
