/** command: what `status` does: reads what the daemon wrote, looks whether it still runs, and says what is not well. */
import { exitCodes } from '../cli.ts';
import { checkConfig } from '../config.ts';
import { findConfig } from '../config-file.ts';
import { errorText, OperatorError } from '../error-text.ts';
import { formatProblems } from '../problem.ts';
import type { Surroundings } from '../surroundings.ts';
import { isRunning, readStatus, statusFile } from './agent-status.ts';
import { describeStatus, problemsOf, type StatusView } from './describe-status.ts';
import { readSpoolFigures } from './spool-figures.ts';

/**
 * The config counts only at the end: a daemon goes on with the old one when somebody breaks it.
 *
 * @throws ConfigFileError when there is no config to be read
 */
export async function showStatus(at: Surroundings, stateFolder: string): Promise<number> {
  const view = await look(stateFolder);
  const now = Date.now();
  const problems = problemsOf(view, now);
  const json = { isWell: problems.length === 0, problems, ...view };
  await at.print(at.json ? `${JSON.stringify(json, null, 2)}\n` : describeStatus(view, now));
  const file = await findConfig(at.cwd, at.configFile);
  const wrong = checkConfig(file.value, at.overrides).problems;
  if (wrong.length > 0) {
    at.note(formatProblems(file.path ?? 'the configuration', wrong));
    return exitCodes.wrongInput;
  }
  return problems.length === 0 ? exitCodes.done : exitCodes.failed;
}

export async function look(stateFolder: string): Promise<StatusView> {
  const status = await readStatus(stateFolder).catch((error) => {
    throw new OperatorError(`cannot read ${statusFile(stateFolder)}: ${errorText(error)}`, { cause: error });
  });
  return {
    isRunning: status !== null && (await isRunning(status)),
    stateFolder,
    status,
    spool: await readSpoolFigures(stateFolder).catch(() => null),
  };
}
