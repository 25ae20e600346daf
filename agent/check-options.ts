/** check-options: has a plugin check the options that a config gives it. */
import type { AnyPlugin } from '../plugins/plugin.ts';
import { errorText } from './error-text.ts';
import { type Problem, toProblems } from './problem.ts';

/** `options` completed by the plugin's schema; meant to be used only when there are no problems. */
export type CheckedOptions = { options: unknown; problems: Problem[] };

/** @param path where the config holds them */
export async function checkOptions(
  plugin: AnyPlugin,
  options: Record<string, unknown>,
  path: readonly string[],
): Promise<CheckedOptions> {
  if (!plugin.options) return { options, problems: [] };
  try {
    const result = await plugin.options.safeParseAsync(options);
    return {
      options: result.data,
      problems: result.error ? toProblems(result.error, plugin.options, path) : [],
    };
  } catch (error) {
    // A check that the plugin's author wrote may itself throw.
    return { options, problems: [{ path: path.join('.'), message: errorText(error) }] };
  }
}
