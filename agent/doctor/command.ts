/** command: what `doctor` does: looks at everything that can keep reports from arriving, and says what to do. */

import { type Access, readAccess } from '../access/access.ts';
import { connectionFor, proxyFor, tlsOptions } from '../access/connection.ts';
import { isEnrolled } from '../access/stored-credential.ts';
import { exitCodes } from '../cli.ts';
import { type AgentConfig, checkConfig } from '../config.ts';
import { ConfigFileError, findConfig } from '../config-file.ts';
import { closePlugins, loadConfiguredPlugins } from '../configured-plugins.ts';
import { redactWarnings } from '../redact.ts';
import { shownUrl } from '../shown-url.ts';
import { connectToTry, type Surroundings } from '../surroundings.ts';
import { checkClientCertificate, checkEnrolment } from './access-checks.ts';
import { checkApi, checkClock, checkToken, timeoutMs } from './api-checks.ts';
import { type Check, describeCheck, failed, ok, skipped, warning } from './check.ts';
import { checkDns, checkTcp, checkTls } from './network-checks.ts';
import { checkPlugin } from './plugin-checks.ts';
import { checkAgent, checkDisk, checkSpool, checkState } from './state-checks.ts';

/** Where the config is too wrong to say. */
const defaultSpoolBytes = 64 * 2 ** 20;

/** Exit 1 when any check failed; a warning alone is exit 0, as reports arrive. */
export async function doctor(at: Surroundings, stateFolder: string): Promise<number> {
  const checks: Check[] = [];
  for await (const check of examine(at, stateFolder)) {
    checks.push(check);
    if (!at.json) await at.print(describeCheck(check));
  }
  const isWell = checks.every(({ status }) => status !== 'FAILED');
  if (at.json) await at.print(`${JSON.stringify({ isWell, checks }, null, 2)}\n`);
  return isWell ? exitCodes.done : exitCodes.failed;
}

async function* examine(at: Surroundings, stateFolder: string): AsyncGenerator<Check> {
  const { config, plugins, folder, ...ofConfig } = await readConfig(at);
  const loaded = await loadConfiguredPlugins(plugins, folder, { onStray: at.onStray, observe: true });
  const api = config ?? ofConfig.api;
  const now = Date.now();
  const from = { overrides: at.overrides, env: at.env, isEnrolled: await isEnrolled(stateFolder) };
  const access = await readAccess(api, { ...from, now });
  try {
    const problems = [...ofConfig.problems, ...access.problems, ...loaded.problems];
    const lines = problems.map(({ path, message }) => `${path}: ${message}`);
    yield lines.length === 0
      ? ok('config', ofConfig.path ?? 'no file: defaults and environment')
      : failed(
          'config',
          lines.join('\n           '),
          `correct ${ofConfig.isRead ? (ofConfig.path ?? 'the environment') : 'that file'}`,
        );
    for (const cause of loaded.warnings)
      yield warning('secret', cause, 'let only the agent read it, with chmod 600');
    for (const cause of access.warnings) yield warning('access', cause, null);
    const declarations = loaded.plugins.map(({ plugin }) => plugin);
    for (const cause of redactWarnings(config?.redact ?? [], declarations))
      yield warning('redact', cause, 'correct the path in the config');
    if (api === null || api.url === null) yield addressMissing;
    else yield* examineApi(at, { ...api, url: api.url }, access, stateFolder);
    yield await checkState(stateFolder);
    yield await checkDisk(stateFolder, config?.spool.maxBytes ?? defaultSpoolBytes);
    yield await checkSpool(stateFolder);
    yield await checkAgent(stateFolder, Date.now());
    // One after another, as what was refused is told of all that this process does.
    for (const plugin of loaded.plugins) yield await checkPlugin(plugin, at.root, at.stop);
  } finally {
    await closePlugins(loaded.plugins);
  }
}

async function readConfig(at: Surroundings) {
  try {
    const { path, folder, value } = await findConfig(at.cwd, at.configFile);
    // What is wrong elsewhere in it keeps nobody from trying the API.
    const { api } = (value ?? {}) as { api?: unknown };
    const ofApi = checkConfig(api === undefined ? {} : { api }, at.overrides).config;
    return { path, folder, isRead: true, api: ofApi, ...checkConfig(value, at.overrides) };
  } catch (error) {
    if (!(error instanceof ConfigFileError)) throw error;
    const problems = [{ path: 'file', message: error.message }];
    const none = { path: null, folder: at.cwd, config: null, plugins: [] };
    return { ...none, isRead: false, api: checkConfig({}, at.overrides).config, problems };
  }
}

const addressMissing = failed(
  'api',
  'its address is not known',
  'set api.url in the config, or OS_INSPECTOR_URL',
);

async function* examineApi(
  at: Surroundings,
  config: AgentConfig & { url: string },
  access: Access,
  stateFolder: string,
) {
  const url = new URL(config.url);
  const proxy = proxyFor(url, at.env);
  const steps: [string, () => Promise<Check>][] = [
    ['dns', () => checkDns(url)],
    ['tcp', () => checkTcp(url)],
    ['tls', () => checkTls(url, Date.now(), tlsOptions(access.tls))],
  ];
  let broken: string | null = null;
  for (const [name, step] of steps) {
    const why = proxy === null ? `${broken} failed` : 'a proxy of HTTP_PROXY or HTTPS_PROXY is on the way';
    const check: Check = broken === null && proxy === null ? await step() : skipped(name, why);
    if (check.status === 'FAILED') broken = name;
    yield check;
  }
  if (broken !== null) {
    for (const name of ['api', 'token', 'clock']) yield skipped(name, `${broken} failed`);
    return;
  }
  const now = Date.now();
  const certificate = checkClientCertificate(access, now);
  if (certificate) yield certificate;
  const { api: connected } = await connectToTry(at, { config, access }, timeoutMs);
  const api = await checkApi(connected, at.stop);
  yield api.status === 'OK' ? ok('api', `${shownUrl(config.url)}: ${api.detail}`) : api;
  const enrolment = await checkEnrolment({ access, url: config.url, stateFolder, now });
  if (enrolment) yield enrolment;
  // A host that is not enrolled yet shows its secret, which sends no reports.
  const isTokens = access.token !== null && api.status === 'OK';
  const scopes = isTokens ? await connected.scopes(at.stop).catch(() => null) : null;
  yield checkToken(url, access.token ?? (enrolment && 'credential'), api, scopes);
  const agent = connectionFor({ url: config.url, tls: access.tls, env: at.env });
  yield await checkClock(url, at.stop, agent);
}
