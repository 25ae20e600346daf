/** command: what `doctor` does: looks at everything that can keep reports from arriving, and says what to do. */
import { exitCodes } from '../cli.ts';
import type { Surroundings } from '../surroundings.ts';
import { checkConfig } from '../config.ts';
import { ConfigFileError, findConfig } from '../config-file.ts';
import { closePlugins, loadConfiguredPlugins } from '../configured-plugins.ts';
import { shownUrl } from '../submit.ts';
import { readToken } from '../token.ts';
import { checkApi, checkClock, checkToken } from './api-checks.ts';
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
  const secret = await readToken(api?.tokenFrom ?? null, at.overrides, at.env);
  try {
    const problems = [...ofConfig.problems, ...secret.problems, ...loaded.problems];
    const lines = problems.map(({ path, message }) => `${path}: ${message}`);
    yield lines.length === 0
      ? ok('config', ofConfig.path ?? 'no file: defaults and environment')
      : failed(
          'config',
          lines.join('\n           '),
          `correct ${ofConfig.isRead ? (ofConfig.path ?? 'the environment') : 'that file'}`,
        );
    for (const cause of [...secret.warnings, ...loaded.warnings])
      yield warning('secret', cause, 'let only the agent read it, with chmod 600');
    yield* examineApi(at, api?.url ?? null, secret.token);
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

async function* examineApi(at: Surroundings, address: string | null, token: string | null) {
  if (address === null) {
    const todo = 'set api.url in the config, or OS_INSPECTOR_URL';
    yield failed('api', 'its address is not known', todo);
    return;
  }
  const url = new URL(address);
  const steps: [string, () => Promise<Check>][] = [
    ['dns', () => checkDns(url)],
    ['tcp', () => checkTcp(url)],
    ['tls', () => checkTls(url, Date.now())],
  ];
  let broken: string | null = null;
  for (const [name, step] of steps) {
    const check: Check = broken === null ? await step() : skipped(name, `${broken} failed`);
    if (check.status === 'FAILED') broken = name;
    yield check;
  }
  if (broken !== null) {
    for (const name of ['api', 'token', 'clock']) yield skipped(name, `${broken} failed`);
    return;
  }
  const api = await checkApi(address, token, at.stop);
  yield api.status === 'OK' ? ok('api', `${shownUrl(address)}: ${api.detail}`) : api;
  yield checkToken(url, token, api);
  yield await checkClock(url, at.stop);
}
