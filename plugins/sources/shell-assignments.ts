/**
 * shell-assignments: reads files of `NAME=value` lines as os-release(5) and systemd write them.
 *
 * Quoting is the shell's: double quotes with backslash before `$`, `"`, `\` and a back quote; single
 * quotes with nothing special inside; a bare backslash takes the next character as it is. Nothing is
 * expanded. Lines that are no assignment are skipped, and the last assignment of a name counts.
 */

/** One piece of a value: double-quoted, single-quoted, escaped, or plain. */
const piece = /"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)|([^"'\\\s]+)/gy;

export function parseAssignments(file: string): Record<string, string | undefined> {
  const values: Record<string, string | undefined> = Object.create(null);
  for (const line of file.replace(/^\uFEFF/, '').split(/\r?\n/)) {
    const [, name, value] = /^\s*([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line) ?? [];
    if (name && value !== undefined) values[name] = unquote(value);
  }
  return values;
}

/** Ends at the first blank outside of quotes, and at a quote that is not closed. */
function unquote(value: string): string {
  let plain = '';
  for (const [, double, single, escaped, bare] of value.matchAll(piece)) {
    plain += double?.replace(/\\([$"\\`])/g, '$1') ?? single ?? escaped ?? bare ?? '';
  }
  return plain;
}
