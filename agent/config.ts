/**
 * config: what the agent can be told, and the one pure check that reports every problem at once.
 *
 * Reads no file and no environment; whether the plugins can be loaded is for `configured-plugins` to say.
 */
import { isIP, isIPv6 } from 'node:net';
import type { z } from 'zod';
import { parseDuration } from '../plugins/duration.ts';
import type { SecretReference } from '../plugins/secret.ts';
import type { TlsFiles } from './access/tls-files.ts';
import { configSchema, defaultTimeout, pluginEntry, portProblem, urlProblem } from './config-schema.ts';
import type { LogSettings } from './daemon-log.ts';
import type { SpoolBounds } from './delivery/spool.ts';
import { type ListenAddress, parseListenAddress } from './listen-address.ts';
import { type Problem, toProblems } from './problem.ts';

/** What the environment says; it wins over the file. Empty text counts as not set. */
export type Overrides = {
  url?: string;
  token?: string;
  enrolment?: string;
  apiIp?: string;
  apiPort?: string;
};

export type AgentConfig = {
  /** Null when it is set nowhere, which is no problem for a command that sends nothing. */
  url: string | null;
  /** Where the bearer token is; null when there is none. */
  tokenFrom: SecretReference | null;
  /** Where the enrolment secret is; null when there is none. */
  enrolmentFrom: SecretReference | null;
  tlsFiles: TlsFiles;
  /** Paths of facts and readings that never leave the host. */
  redact: string[];
  intervalMs: number;
  labels: Record<string, string>;
  /** How much is kept of what the API has not taken. */
  spool: SpoolBounds;
  log: LogSettings;
  /** Where the daemon answers with its metrics; null for nowhere. */
  metricsAt: ListenAddress | null;
  plugins: PluginEntry[];
};

/** One plugin as configured, not loaded yet. `path` is where the config names it. */
export type PluginEntry = {
  use: string;
  /** What a command reports under, which is for `exec` alone; null when none is given. */
  name: string | null;
  timeoutMs: number;
  /** Null leaves it to the plugin. */
  intervalMs: number | null;
  /** Null is the default. */
  memoryBytes: number | null;
  options: Record<string, unknown>;
  path: string[];
};

/** The outcome of a check: `config` is null exactly when there are problems. */
export type CheckedConfig = {
  config: AgentConfig | null;
  problems: Problem[];
  /** Every plugin entry that is right in itself, so that loading can be tried whatever else is wrong. */
  plugins: PluginEntry[];
};

/**
 * Completes a config, or says everything that is wrong with it.
 *
 * @param value what the file holds; undefined when there is no file or it is empty
 */
export function checkConfig(value: unknown, overrides: Overrides = {}): CheckedConfig {
  const parsed = configSchema.safeParse(value ?? {});
  const problems = [
    ...(parsed.error ? toProblems(parsed.error, configSchema).map(explainSecret) : []),
    ...twice(value),
    ...halfOfPair(value),
    ...checkOverrides(overrides),
  ];
  if (!parsed.success) return { config: null, problems, plugins: rightEntries(value) };
  const { api, interval, timeout, redact, labels, spool, log, metrics } = parsed.data;
  const plugins = parsed.data.plugins.map((entry, i) => toPluginEntry(entry, i, timeout));
  if (problems.length > 0) return { config: null, problems, plugins };
  const url = overriddenUrl(overrides) ?? api?.url ?? null;
  const config: AgentConfig = {
    url,
    tokenFrom: api?.token ?? null,
    enrolmentFrom: api?.enrolment ?? null,
    tlsFiles: {
      ca: api?.ca ?? null,
      clientCert: api?.clientCert ?? null,
      clientKey: api?.clientKey ?? null,
    },
    redact,
    intervalMs: interval,
    labels,
    spool: { maxBytes: spool.maxSize, maxAgeMs: spool.maxAge },
    log: { format: log.format ?? null, level: log.level },
    metricsAt: metrics ? parseListenAddress(metrics.listen) : null,
    plugins,
  };
  return { config, problems: [], plugins };
}

function toPluginEntry(entry: z.output<typeof pluginEntry>, i: number, timeoutMs: number): PluginEntry {
  const path = ['plugins', `${i}`];
  if (typeof entry === 'string') {
    return { use: entry, name: null, timeoutMs, intervalMs: null, memoryBytes: null, options: {}, path };
  }
  const { use, name, timeout, interval, memory, options } = entry;
  return {
    use,
    name: name ?? null,
    timeoutMs: timeout ?? timeoutMs,
    intervalMs: interval ?? null,
    memoryBytes: memory ?? null,
    options,
    path: [...path, 'use'],
  };
}

function rightEntries(value: unknown): PluginEntry[] {
  const entries: unknown = (value as { plugins?: unknown } | null | undefined)?.plugins;
  if (!Array.isArray(entries)) return [];
  return entries.flatMap((entry, i) => {
    const { data } = pluginEntry.safeParse(entry);
    return data === undefined ? [] : [toPluginEntry(data, i, parseDuration(defaultTimeout) ?? 0)];
  });
}

/** A secret elsewhere in the config is an understandable wish; say where it goes instead. */
function explainSecret(problem: Problem): Problem {
  if (!/^(?:token|(?:api\.)?(?:password|secret))$/i.test(problem.path)) return problem;
  const how = 'say with api.token where the token is, { "env": "NAME" } or { "file": "/path" }';
  return { ...problem, message: `unknown key: ${how}` };
}

/** A certificate without its key proves nothing. */
function halfOfPair(value: unknown): Problem[] {
  const api: unknown = (value as { api?: unknown } | null | undefined)?.api;
  if (typeof api !== 'object' || api === null) return [];
  const [has, lacks] = 'clientCert' in api ? ['clientCert', 'clientKey'] : ['clientKey', 'clientCert'];
  if (!(has in api) || lacks in api) return [];
  return [{ path: `api.${lacks}`, message: `is missing: api.${has} needs it` }];
}

/** The same plugin twice would make two results that cannot be told apart. Commands are told apart by their names. */
function twice(value: unknown): Problem[] {
  const entries: unknown = (value as { plugins?: unknown } | null | undefined)?.plugins;
  if (!Array.isArray(entries)) return [];
  const uses = entries.map((entry) => (typeof entry === 'string' ? entry : entry?.use));
  return uses.flatMap((use, i) => {
    const first = uses.indexOf(use);
    if (typeof use !== 'string' || use === 'exec' || first === i) return [];
    return [{ path: `plugins.${i}`, message: `the same plugin as plugins.${first}: name it once` }];
  });
}

function checkOverrides({ url, apiIp, apiPort }: Overrides): Problem[] {
  const problems: Problem[] = [];
  const complain = (path: string, message: string | null) => message && problems.push({ path, message });
  if (url) {
    complain('OS_INSPECTOR_URL', urlProblem(url));
    return problems;
  }
  if (apiIp && !apiPort) complain('API_PORT', 'is missing: API_IP needs it, as in API_PORT=4000');
  if (apiPort && !apiIp) complain('API_IP', 'is missing: API_PORT needs it, as in API_IP=10.0.0.5');
  if (apiIp && !isHost(apiIp)) {
    complain('API_IP', 'must be an address or a host name, such as 10.0.0.5');
  }
  if (apiPort && !(/^\d+$/.test(apiPort) && Number(apiPort) >= 1 && Number(apiPort) <= 65_535)) {
    complain('API_PORT', 'must be a whole number from 1 to 65535');
  } else if (apiPort) {
    complain('API_PORT', portProblem(apiPort));
  }
  return problems;
}

function overriddenUrl({ url, apiIp, apiPort }: Overrides): string | null {
  if (url) return url;
  return apiIp && apiPort ? pythonUrl(apiIp, apiPort) : null;
}

/** Whether it is an IP address or a host name: with anything else in it, an address would mean something else. */
function isHost(text: string): boolean {
  const looksRight = isIP(text) > 0 || /^[\p{L}\p{N}._-]+$/u.test(text);
  return looksRight && URL.canParse(pythonUrl(text, '80'));
}

/** The address that the Python agent's two variables mean. */
function pythonUrl(ip: string, port: string): string {
  return `http://${isIPv6(ip) ? `[${ip}]` : ip}:${port}/graphql`;
}
