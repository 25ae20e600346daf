/** setup: from settings to an agent that can collect, or one message with everything that is wrong. */
import { stat } from 'node:fs/promises';
import { isAbsolute, relative } from 'node:path';
import { type Access, readAccess } from './access/access.ts';
import { isEnrolled } from './access/stored-credential.ts';
import { type AgentConfig, checkConfig, type Overrides, type PluginEntry } from './config.ts';
import { type ConfigFile, describeSearch, findConfig } from './config-file.ts';
import { type ConfiguredPlugin, closePlugins, loadConfiguredPlugins, without } from './configured-plugins.ts';
import { secretFiles } from './entry-key.ts';
import { OperatorError } from './error-text.ts';
import { formatProblems, type Problem } from './problem.ts';
import { redactWarnings } from './redact.ts';

export type SetupOptions = {
  cwd: string;
  /** `--config`; null looks for one. */
  configFile: string | null;
  overrides: Overrides;
  /** Where secrets of the config may be. */
  env: Readonly<Record<string, string | undefined>>;
  stateFolder: string;
  /** `HOST_ROOT`: where the host's file system begins. */
  root: string;
  /** Whether the command sends anything, and so cannot do without the address of the API. */
  needsUrl: boolean;
  /** Told what a plugin threw when nobody waited for it. */
  onStray(use: string, error: string): void;
  /** What the agent has now: plugins that would be the same are taken over. @default none */
  previous?: Setup;
};

export type Setup = {
  /** Absolute; null when there is no config file and the defaults serve. */
  configPath: string | null;
  config: AgentConfig;
  access: Access;
  /** What is no problem and still should be put right. */
  warnings: string[];
  plugins: ConfiguredPlugin[];
  /** The files that all this comes from: absolute. */
  files: string[];
};

/** The configuration is wrong; the message lists every problem and is ready to be shown. */
export class ConfigError extends OperatorError {
  override name = 'ConfigError';
}

/**
 * Finds, checks and loads everything that the config names.
 *
 * @throws ConfigError with every problem; ConfigFileError when there is nothing to check
 */
export async function setUp(options: SetupOptions): Promise<Setup> {
  const { cwd, configFile, overrides, env, root, stateFolder, needsUrl, onStray } = options;
  const previous = options.previous?.plugins ?? [];
  const file = await findConfig(cwd, configFile);
  const checked = checkConfig(file.value, overrides);
  const loaded = await loadConfiguredPlugins(checked.plugins, file.folder, { onStray, previous });
  const {
    problems: ofAccess,
    warnings,
    files: tlsFiles,
    ...access
  } = await readAccess(checked.config, {
    ...{ overrides, env, isEnrolled: await isEnrolled(stateFolder), now: Date.now() },
  });
  const problems = [...checked.problems, ...ofAccess, ...loaded.problems, ...(await rootProblems(root))];
  if (needsUrl && checked.config?.url === null) problems.push(missingUrl(file, cwd));
  if (problems.length > 0 || !checked.config) {
    await closePlugins(without(loaded.plugins, previous));
    throw new ConfigError(formatProblems(subject(file, cwd), problems));
  }
  const { config } = checked;
  const { tokenFrom, enrolmentFrom } = config;
  const ofConfig = [file.path ?? [], secretFiles([tokenFrom, enrolmentFrom]), tlsFiles].flat();
  const files = [...ofConfig, ...config.plugins.flatMap(secretFilesOf)];
  const { plugins } = loaded;
  const declarations = plugins.map(({ plugin }) => plugin);
  const ofRedact = redactWarnings(config.redact, declarations).map((warning) => `redact: ${warning}`);
  return {
    configPath: file.path,
    config,
    access,
    warnings: [...warnings, ...loaded.warnings, ...ofRedact],
    plugins,
    files,
  };
}

function secretFilesOf({ options }: PluginEntry): string[] {
  return secretFiles(options);
}

/** A folder that is not mounted would give a report of nothing but nulls. */
async function rootProblems(root: string): Promise<Problem[]> {
  const isFolder = await stat(root).then(
    (found) => found.isDirectory(),
    () => false,
  );
  return isFolder ? [] : [{ path: 'HOST_ROOT', message: `${root} is no folder` }];
}

/** The config file as people would name it from where they are. */
function subject({ path }: ConfigFile, cwd: string): string {
  if (path === null) return 'the configuration';
  const fromHere = relative(cwd, path);
  return fromHere.startsWith('..') || isAbsolute(fromHere) ? path : fromHere;
}

function missingUrl({ path }: ConfigFile, cwd: string): Problem {
  const where = path === null ? `, and there is no config file in ${describeSearch(cwd)}` : '';
  const how = path === null ? 'write one' : 'set it';
  return {
    path: 'api.url',
    message: `is missing${where}: ${how} as agent.config.example.json shows, or set OS_INSPECTOR_URL, or API_IP and API_PORT`,
  };
}
