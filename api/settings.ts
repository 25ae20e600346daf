/**
 * settings: reads the API's environment variables into plain data, with every problem at once.
 *
 * Pure: `main.ts` hands the environment in. docs and README list the same names. Settings that belong together have
 * a file of their own in `settings/`: their defaults, and how they are read.
 */
import { messageOf } from '../plugins/message-of.ts';
import { type AuthSettings, authDefaults, readAuth } from './settings/auth.ts';
import { type LimitSettings, limitDefaults, readLimits } from './settings/limits.ts';
import { type ListenSettings, listenDefaults, readListen } from './settings/listen.ts';
import { type OidcSettings, oidcDefaults, readOidc } from './settings/oidc.ts';
import { type OperationSettings, operationDefaults, readOperations } from './settings/operations.ts';
import { parseDurationWithin } from './settings/parse.ts';
import type { ReadSetting } from './settings/read-setting.ts';
import { readStores, type StoreSettings, storeDefaults } from './settings/stores.ts';
import { readTracing, type TracingSettings, tracingDefaults } from './settings/tracing.ts';
import { readTransport, type TransportSettings, transportDefaults } from './settings/transport.ts';

export type ApiSettings = ListenSettings &
  StoreSettings &
  LimitSettings &
  TracingSettings &
  AuthSettings &
  TransportSettings &
  OperationSettings & {
    /** Null where no identity provider is named. @default null */
    oidc: OidcSettings | null;
    /** How long the index may work for one request. @default 30 s */
    queryTimeoutMs: number;
    /** Plugins beside the built-in ones: files, relative to the working folder, or packages. */
    plugins: string[];
  };

export const settingDefaults = {
  ...listenDefaults,
  ...storeDefaults,
  ...authDefaults,
  ...oidcDefaults,
  ...transportDefaults,
  ...operationDefaults,
  ...limitDefaults,
  ...tracingDefaults,
  QUERY_TIMEOUT: '30s',
  PLUGINS: '',
} as const;

export type SettingName = keyof typeof settingDefaults;

/** A setting that cannot be used; `setting` is the variable's name. */
export type SettingProblem = { setting: SettingName; message: string };

const minQueryTimeoutMs = 100;
const maxQueryTimeoutMs = 60 * 60 * 1000;

/**
 * @param cwd what relative files are relative to
 * @returns the settings, or what is wrong with them; never both
 */
export function readSettings(
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): { settings: ApiSettings } | { problems: SettingProblem[] } {
  const problems: SettingProblem[] = [];

  const read: ReadSetting<SettingName> = (setting, parse) => {
    try {
      // An empty variable is how compose files and unit files spell "not set".
      return parse(env[setting]?.trim() || settingDefaults[setting]);
    } catch (cause) {
      problems.push({ setting, message: messageOf(cause) });
      // Nobody gets to see it: with a problem there are no settings.
      return undefined as never;
    }
  };

  const auth = readAuth(read);
  const settings: ApiSettings = {
    ...readListen(read),
    ...readStores(read, cwd),
    ...auth,
    ...readOidc(read, auth),
    ...readTransport(read, cwd),
    ...readOperations(read),
    ...readLimits(read),
    ...readTracing(read),
    queryTimeoutMs: read('QUERY_TIMEOUT', (value) =>
      parseDurationWithin(value, minQueryTimeoutMs, maxQueryTimeoutMs, '30s'),
    ),
    plugins: read('PLUGINS', parsePlugins),
  };
  return problems.length > 0 ? { problems } : { settings };
}

function parsePlugins(value: string): string[] {
  return value
    .split(',')
    .map((use) => use.trim())
    .filter((use) => use !== '');
}
