/**
 * reload: reads the config again while the agent runs, and has the new one taken over between two reports.
 *
 * A config that is wrong changes nothing, and is told with all its problems. Plugins that stay the same go on with all
 * they know; those that are not wanted any more are closed once the new ones are in their place.
 */
import { isDeepStrictEqual } from 'node:util';
import { type ConfiguredPlugin, closePlugins, without } from './configured-plugins.ts';
import { errorText, OperatorError } from './error-text.ts';
import type { Log } from './run.ts';
import type { Setup } from './setup.ts';

export type ReloadParts = {
  /** What the agent runs with. */
  current: Setup;
  /** Reads everything anew, with the plugins of `previous` that stay the same. @throws when something is wrong */
  load(previous: Setup): Promise<Setup>;
  /** Told that there is something to take. */
  onReady(): void;
  log: Log;
};

export type Reloader = {
  /** What the agent runs with. */
  current(): Setup;
  /** Has the config read again; `why` is for the log. */
  request(why: string): void;
  /** Makes what was read the current one, and returns it; null when nothing has changed. Not while plugins collect. */
  take(): Promise<Setup | null>;
};

export function createReloader({ current: first, load, onReady, log }: ReloadParts): Reloader {
  let current = first;
  /** Right, and not taken yet. */
  let pending: Setup | null = null;
  let open: readonly ConfiguredPlugin[] = first.plugins;
  let requested: string | null = null;
  let isLoading = false;

  async function reload(why: string): Promise<void> {
    try {
      const next = await load(pending ?? current);
      open = [...open, ...without(next.plugins, open)];
      for (const cause of next.warnings) log.warn({ cause }, 'the config is not as it should be');
      pending = next;
      if (changes(current, next).length === 0) log.info({ why }, 'config read again, nothing has changed');
      onReady();
    } catch (error) {
      const cause = error instanceof OperatorError ? error.message : errorText(error);
      log.error({ why, cause }, 'config not taken, the old one stays');
    }
  }

  async function reloadWhileRequested(): Promise<void> {
    isLoading = true;
    for (let why = requested; why !== null; why = requested) {
      requested = null;
      await reload(why);
    }
    isLoading = false;
    if (pending === null) await closeUnused();
  }

  /** Not while a config is read, which may take them over. */
  async function closeUnused(): Promise<void> {
    if (isLoading) return;
    const unused = without(open, current.plugins);
    open = without(open, unused);
    await closePlugins(unused);
  }

  return {
    current: () => current,
    request(why) {
      requested = why;
      if (!isLoading) void reloadWhileRequested();
    },
    async take() {
      if (pending === null) return null;
      const before = current;
      const after = pending;
      [current, pending] = [after, null];
      await closeUnused();
      const changed = changes(before, after);
      if (changed.length === 0) return null;
      const [started, ended] = [namesWithout(after, before), namesWithout(before, after)];
      log.info({ changed, started, ended }, 'config reloaded');
      return after;
    },
  };
}

/** The settings that differ, by their names in the config. */
export function changes(before: Setup, after: Setup): string[] {
  const [a, b] = [settings(before), settings(after)];
  return Object.keys(a).filter((name) => !isDeepStrictEqual(a[name], b[name]));
}

function settings({ configPath, config, access, plugins }: Setup): Record<string, unknown> {
  const { url, intervalMs, labels, redact, spool, log, metricsAt } = config;
  const { token, enrolment, tls } = access;
  const api = { 'api.url': url, 'api.token': token, 'api.enrolment': enrolment, 'api.ca': tls.ca };
  const client = { 'api.clientCert': tls.cert, 'api.clientKey': tls.key };
  const rest = { interval: intervalMs, labels, redact, spool, log, metrics: metricsAt };
  const entries = plugins.map(({ key, modules, timeoutMs, intervalMs }) => {
    return [key, modules.stamp, timeoutMs, intervalMs];
  });
  return { file: configPath, ...api, ...client, ...rest, plugins: entries };
}

/** Names of the plugins of one that the other has not, or has otherwise. */
function namesWithout({ plugins }: Setup, other: Setup): string[] {
  return without(plugins, other.plugins).map(({ plugin }) => plugin.name);
}
