/**
 * paragraphs: takes apart the databases of package managers: fields on lines, a blank line after each package.
 *
 * They have megabytes, of which few fields matter: these are looked for rather than all lines taken apart.
 */

/** The text as one byte a character: names and versions are ASCII, and so it is searched several times faster. */
export function asciiText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/** Each with the ends of lines around it, so that every line of it is between two. */
export function* paragraphsOf(database: string): Generator<string> {
  const text = database.startsWith('\n') ? database : `\n${database}`;
  let start = 0;
  while (start < text.length - 1) {
    const blank = text.indexOf('\n\n', start);
    const end = blank < 0 ? text.length : blank + 1;
    if (end > start + 1) yield text.slice(start, end);
    start = end;
  }
}

/**
 * What follows a field's name on its line; null where there is no such line, or nothing on it.
 *
 * @param name with the end of the line before it: `\nVersion: `
 */
export function fieldOf(paragraph: string, name: string): string | null {
  const at = paragraph.indexOf(name);
  if (at < 0) return null;
  const start = at + name.length;
  const end = paragraph.indexOf('\n', start);
  const value = paragraph.slice(start, end < 0 ? undefined : end);
  return value.replaceAll('\0', '').trim() || null;
}
