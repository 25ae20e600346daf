/**
 * commands: what each command does, given everything from outside.
 *
 * Each returns its exit code. A wrong config is thrown (see `setup`) and shown by `main`.
 */
import { resolve } from 'node:path';
import { type CommandName, exitCodes } from './cli.ts';
import { createDelivery } from './delivery/delivery.ts';
import { openSpool } from './delivery/spool.ts';
import { errorText } from './error-text.ts';
import { createReporter } from './reporter.ts';
import type { Log } from './run.ts';
import { createClock } from './schedule/clock.ts';
import { setUp } from './setup.ts';
import { shownUrl } from './shown-url.ts';
import { SubmitError } from './submit-error.ts';
import {
  connectTo,
  connectToTry,
  identityFor,
  knownIdentity,
  noteWarnings,
  type Surroundings,
  setUpToSend,
  stateFolderFor,
  warnOn,
} from './surroundings.ts';

type Command = (surroundings: Surroundings) => Promise<number>;

export const commandActions: Record<CommandName, Command> = {
  run: async (at) => (await import('./daemon.ts')).runDaemon(at),
  once,
  print,
  check,
  plugins: showPlugins,
  'plugins test': async (at) => (await import('./plugins-test/command.ts')).testPlugin(at),
  status: async (at) =>
    (await import('./status/command.ts')).showStatus(at, resolve(await stateFolderFor(at))),
  doctor: async (at) => (await import('./doctor/command.ts')).doctor(at, resolve(await stateFolderFor(at))),
  init,
};

async function once(at: Surroundings): Promise<number> {
  const setup = await setUpToSend(at);
  noteWarnings(at, setup);
  try {
    const warn = warnOn(at);
    const identity = await identityFor(at, warn);
    const note: Log['warn'] = (fields, message) => warn(message, fields);
    const log: Log = { info: () => {}, warn: note, error: note };
    const stateFolder = await stateFolderFor(at);
    const spool = openSpool({ stateFolder, bounds: setup.config.spool, log, now: Date.now });
    const api = await connectTo(at, setup, { hostId: identity.id, mode: 'enrol', log });
    const reporter = createReporter(at, setup, identity);
    const { redact } = reporter;
    const delivery = createDelivery({
      ...{ api, spool, log, clock: createClock(), random: Math.random, redact },
    });
    await delivery.deliverNow(await reporter.report(at.stop), at.stop);
  } catch (error) {
    await at.print(`error: ${errorText(error)}\n`);
    return exitCodes.failed;
  }
  await at.print('success\n');
  return exitCodes.done;
}

async function print(at: Surroundings): Promise<number> {
  const setup = await setUp({ ...at, needsUrl: false });
  const report = await createReporter(at, setup, await knownIdentity(at)).report(at.stop);
  await at.print(`${JSON.stringify(report, null, 2)}\n`);
  return exitCodes.done;
}

async function check(at: Surroundings): Promise<number> {
  const setup = await setUpToSend(at);
  noteWarnings(at, setup);
  const names = setup.plugins.map(({ plugin }) => plugin.name).join(', ');
  await at.print(`config: ${setup.configPath ?? 'no file, defaults and environment'}: no problems\n`);
  await at.print(`plugins: ${names || 'none'}\n`);
  try {
    const { api, enrolment } = await connectToTry(at, setup);
    await api.ping(at.stop);
    if (enrolment !== null) await at.print(`enrolment: ${enrolment}\n`);
  } catch (error) {
    if (!(error instanceof SubmitError)) throw error;
    await at.print(`api: ${error.message}\n`);
    return exitCodes.failed;
  }
  await at.print(`api: ${shownUrl(setup.config.url ?? '')} answers\n`);
  return exitCodes.done;
}

async function showPlugins(at: Surroundings): Promise<number> {
  const { plugins } = await setUp({ ...at, needsUrl: false });
  const { describePlugins } = await import('./describe-plugins.ts');
  await at.print(describePlugins(plugins.map(({ plugin }) => plugin)));
  return exitCodes.done;
}

async function init(at: Surroundings): Promise<number> {
  const { initConfig, InitError } = await import('./init.ts');
  try {
    const { path, nextSteps } = await initConfig(at);
    await at.print(`wrote ${path}\n`);
    const isAnswering = (await check({ ...at, configFile: path })) === exitCodes.done;
    await at.print(nextSteps(isAnswering));
    return exitCodes.done;
  } catch (error) {
    if (!(error instanceof InitError)) throw error;
    at.note(error.message);
    return exitCodes.wrongInput;
  }
}
