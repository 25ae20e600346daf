/** check-options: has a plugin check the options that a config gives it. */
import type { AnyPlugin } from '../plugins/plugin.ts';
import { secretWarnings } from '../plugins/secret.ts';
import { errorText } from './error-text.ts';
import { type Problem, toProblems } from './problem.ts';

/** `options` completed by the plugin's schema; meant to be used only when there are no problems. */
export type CheckedOptions = { options: unknown; problems: Problem[]; warnings: string[] };

/** Runs `check`, and returns what was told of secrets meanwhile as well. Another check at the same time may tell of its own. */
export async function withWarnings<T>(check: () => Promise<T>): Promise<T & { warnings: string[] }> {
  const warnings: string[] = [];
  const listen = (warning: unknown) => void warnings.push(String(warning));
  secretWarnings.subscribe(listen);
  try {
    return { ...(await check()), warnings };
  } finally {
    secretWarnings.unsubscribe(listen);
  }
}

/** @param path where the config holds them */
export async function checkOptions(
  plugin: AnyPlugin,
  options: Record<string, unknown>,
  path: readonly string[],
): Promise<CheckedOptions> {
  const schema = plugin.options;
  if (!schema) return { options, problems: [], warnings: [] };
  return withWarnings(async () => {
    try {
      const { data, error } = await schema.safeParseAsync(options);
      return { options: data, problems: error ? toProblems(error, schema, path) : [] };
    } catch (error) {
      // A check that the plugin's author wrote may itself throw.
      return { options, problems: [{ path: path.join('.'), message: errorText(error) }] };
    }
  });
}
