/** loading-problem: says why a module that a user wrote cannot be loaded, and what to do about it. */
import { messageOf } from './message-of.ts';

/**
 * Node's own words, and the way out where a package.json says that the file is no ES module.
 *
 * @param file its path or URL
 * @param canRename whether it would still be found by a name that says that it is an ES module
 */
export function loadingProblem(cause: unknown, file: string, canRename = true): string {
  const isTakenForCommonJs = cause instanceof SyntaxError && /\b(import|export)\b/.test(cause.message);
  if (!isTakenForCommonJs || !/\.[jt]s$/.test(file)) return messageOf(cause);
  const name = file
    .replace(/\.([jt])s$/, '.m$1s')
    .split(/[/\\]/)
    .pop();
  const rename = canRename ? `name it ${name}, or ` : '';
  return `${messageOf(cause)}; ${rename}write "type": "module" in the package.json above it`;
}
