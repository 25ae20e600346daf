/**
 * python-report: the flat JSON of the Python system, and its translation to and from reports.
 *
 * Pure. What was sent is kept word for word beside the typed facts, so that a reader of the old form
 * gets back what its writer wrote.
 */

import ipaddr from 'ipaddr.js';
import { v5 as uuidV5 } from 'uuid';
import { z } from 'zod';
import { scalarKinds } from '../plugins/fact.ts';
import { canonicalJson } from '../plugins/fact-set.ts';
import type { ReportRow } from './index/index-store.ts';
import { isTooDeep, maxJsonDepth } from './json-depth.ts';
import { reportFormat, type StoredReport, type StoredResult } from './log/stored-report.ts';

/** Of the ids made here; another one would split the history of every host. */
const namespace = '6f1d2a8e-54c0-4b0b-9a43-2f6f0c7f5d11';
/** Under this plugin name the flat report is kept as it was sent. */
export const pythonPlugin = 'pythonReport';

/** The Python agent took numbers and text alike for what it read from the system. */
const word = z.union(
  [z.string().refine((text) => text.trim() !== ''), z.number()],
  'must be text or a number',
);

export const pythonReportSchema = z
  .looseObject({
    cpu: word,
    os_username: word,
    os_name: word,
    server_ip: scalarKinds.ip.schema,
    timestamp: word.refine((value) => parseTimestamp(value) !== null, 'must be a date and time'),
    os_version: word,
    mem: z.unknown().optional(),
  })
  .refine((flat) => !isTooDeep(flat), `must be nested at most ${maxJsonDepth} deep`);
export type PythonReport = z.output<typeof pythonReportSchema>;

/** The id that a host of the Python system has here: the same for the same address, always. */
export function pythonHostId(serverIp: string): string {
  return uuidV5(canonicalAddress(serverIp), namespace);
}

/** One form for each address: IPv6 is written in many ways, and IPv4 as a part of it. */
function canonicalAddress(address: string): string {
  return ipaddr.process(address).toString();
}

/**
 * @param now the server's clock, milliseconds since 1970
 * @returns a report whose id follows from what was sent, so that sending it again adds nothing
 */
export function fromPython(flat: PythonReport, now: number): StoredReport {
  const { cpu, os_username, os_name, os_version, server_ip, timestamp, mem } = flat;
  const osName = String(os_name);
  return {
    format: reportFormat,
    id: uuidV5(canonicalJson(flat), namespace),
    host: { id: pythonHostId(server_ip), name: server_ip, labels: {} },
    agentVersion: null,
    intervalSeconds: null,
    collectedAt: new Date(parseTimestamp(timestamp) ?? now).toISOString(),
    receivedAt: new Date(now).toISOString(),
    results: [
      result('cpu', { model: String(cpu) }),
      result('user', { name: String(os_username) }),
      result('os', {
        distribution: osName,
        platform: platforms[osName.toLowerCase()] ?? null,
        version: String(os_version),
      }),
      result('network', { primaryAddress: server_ip }),
      ...(typeof mem === 'number' && Number.isSafeInteger(mem)
        ? [result('memory', { totalBytes: mem })]
        : []),
      result(pythonPlugin, flat),
    ],
  };
}

/** The flat form of any report: as it was sent, or put together from the facts of a newer agent. */
export function toPython(report: ReportRow, serverIp: string): Record<string, unknown> {
  const factsOf = (plugin: string) => {
    const facts = report.results.find((row) => row.plugin === plugin)?.facts;
    return typeof facts === 'object' && facts !== null ? (facts as Record<string, unknown>) : {};
  };
  const sent = factsOf(pythonPlugin);
  if (Object.keys(sent).length > 0) return sent;
  const [cpu, user, os, memory] = [factsOf('cpu'), factsOf('user'), factsOf('os'), factsOf('memory')];
  return {
    cpu: cpu.model ?? null,
    os_username: user.name ?? null,
    os_name: os.distribution ?? os.platform ?? null,
    server_ip: serverIp,
    timestamp: new Date(report.collectedAt).toISOString(),
    os_version: os.version ?? null,
    ...(memory.totalBytes === undefined ? {} : { mem: memory.totalBytes }),
  };
}

/** What Python's platform.system() says, in the words of the os plugin. */
const platforms: Record<string, string> = {
  linux: 'linux',
  darwin: 'darwin',
  windows: 'win32',
  freebsd: 'freebsd',
};

function result(plugin: string, facts: Record<string, unknown>): StoredResult {
  return { plugin, version: null, status: 'OK', durationMs: null, facts, readings: null, error: null };
}

/** Seconds since 1970; from the year 2001 on a number with three digits more counts milliseconds. */
const epoch = /^\d{9,10}(\.\d+)?$|^\d{12,13}$/;
/** What str(datetime) and isoformat() write, with or without time and zone. */
const dateAndTime =
  /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?) ?(Z|UTC|GMT|[+-]\d{2}:?\d{2})?)?$/i;

/**
 * UTC where no zone is told.
 *
 * @returns milliseconds since 1970, or null when it is no time
 */
function parseTimestamp(value: string | number): number | null {
  const text = String(value).trim();
  if (epoch.test(text))
    return Math.trunc(text.length >= 12 && !text.includes('.') ? Number(text) : Number(text) * 1000);
  const [, date, time = '00:00', zone = 'Z'] = dateAndTime.exec(text) ?? [];
  if (!date) return null;
  const offset = /^[+-]/.test(zone) ? zone.replace(/^(...):?/, '$1:') : 'Z';
  const ms = Date.parse(`${date}T${time.replace(',', '.')}${offset}`);
  // Date.parse takes the 30th of February for the 1st or 2nd of March.
  const isRealDay = new Date(`${date}T00:00Z`).toISOString().startsWith(date);
  return Number.isNaN(ms) || ms < 0 || !isRealDay ? null : ms;
}
