/** check-command: checks an entry of the config that runs a command, and makes a plugin of it. */
import { access, constants, stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { type Command, type ExecOptions, execOptions, execPlugin, toCommand } from '../plugins/exec.ts';
import { builtinPluginNames } from '../plugins/index.ts';
import { type AnyPlugin, pluginName } from '../plugins/plugin.ts';
import { withWarnings } from './check-options.ts';
import type { PluginEntry } from './config.ts';
import type { Undeclared } from './outcome.ts';
import { type Problem, toProblems } from './problem.ts';

export type CheckedCommand = {
  /** Null when it is too wrong to be made. */
  plugin: AnyPlugin | null;
  /** Where no facts are declared, whatever is printed is one. */
  undeclared: Undeclared;
  problems: Problem[];
  warnings: string[];
};

/** @param folder what relative paths are relative to: that of the config */
export async function checkCommand(entry: PluginEntry, folder: string): Promise<CheckedCommand> {
  const { name, options, memoryBytes } = entry;
  const base = entry.path.slice(0, 2);
  const at = (...path: string[]) => [...base, ...path].join('.');
  const problems = nameProblems(name).map((message) => ({ path: at('name'), message }));
  if (memoryBytes !== null) {
    problems.push({
      path: at('memory'),
      message: 'a command runs in a process of its own, without a limit: leave it out',
    });
  }
  const { warnings, ...checked } = await withWarnings(() => execOptions.safeParseAsync(options));
  if (checked.error) problems.push(...toProblems(checked.error, execOptions, [...base, 'options']));
  else problems.push(...(await fileProblems(checked.data, folder, at)));
  const plugin = checked.success && name !== null ? execPlugin(name, checked.data, folder) : null;
  return { plugin, undeclared: checked.data?.facts ? 'refused' : 'kept', problems, warnings };
}

function nameProblems(name: string | null): string[] {
  if (name === null) return ['is missing: what the command tells is reported under it, as in "name": "rack"'];
  if ((builtinPluginNames as string[]).includes(name))
    return ['is that of a built-in plugin: choose another'];
  return pluginName.safeParse(name).error?.issues.map(({ message }) => message) ?? [];
}

async function fileProblems(
  options: ExecOptions,
  folder: string,
  at: (...path: string[]) => string,
): Promise<Problem[]> {
  const command: Command = toCommand(options, folder);
  const problems: Problem[] = [];
  const isFolder = await stat(command.cwd).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) problems.push({ path: at('options', 'cwd'), message: `there is no folder ${command.cwd}` });
  const message = isAbsolute(command.program) ? await programProblem(command.program) : null;
  if (message) problems.push({ path: at('options', 'command', '0'), message });
  return problems;
}

async function programProblem(path: string): Promise<string | null> {
  const found = await stat(path).catch(() => null);
  if (!found) return `there is no file ${path}: paths are relative to the folder of the config`;
  if (!found.isFile()) return `${path} is not a file`;
  const mayRun = await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
  return mayRun
    ? null
    : `${path} is not executable by this user: chmod +x, or name its interpreter first, as in ["python3", …]`;
}
