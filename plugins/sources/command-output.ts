/**
 * command-output: reads the JSON that a command printed, as far as a report can carry it.
 */

/** As deep as anyone needs; the API takes twice that. */
const maxDepth = 32;

/**
 * The object that was printed, or null.
 *
 * @throws Error that says what is wrong with it, for its author
 */
export function parseOutput(printed: string): Record<string, unknown> | null {
  const text = printed.replace(/^\uFEFF/, '').trim();
  if (text === '')
    throw new Error('it printed nothing: print a JSON object, or null where there is nothing to report');
  const value = parse(text);
  if (value === null) return null;
  if (typeof value !== 'object' || Array.isArray(value)) {
    const what = Array.isArray(value) ? 'a list' : `a ${typeof value}`;
    throw new Error(`it printed ${what}: print a JSON object that maps names to values, or null`);
  }
  checkValue(value, [], 0);
  return value as Record<string, unknown>;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`what it printed is not JSON: ${(cause as Error).message}`);
  }
}

function checkValue(value: unknown, path: readonly string[], depth: number): void {
  const at = () => path.join('.') || 'what it printed';
  if (typeof value === 'string' && !isStorable(value)) {
    throw new Error(`${at()}: must be well-formed text without U+0000`);
  }
  if (typeof value !== 'object' || value === null) return;
  if (depth > maxDepth) throw new Error(`${at()}: must be nested at most ${maxDepth} deep`);
  for (const [name, inner] of Object.entries(value)) {
    if (!isStorable(name)) throw new Error(`${at()}: a name must be well-formed text without U+0000`);
    checkValue(inner, [...path, name], depth + 1);
  }
}

function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}
