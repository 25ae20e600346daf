/**
 * listed-files: files of a recorded host that cannot lie in its folder, since not every system has such names
 * (`0000:00:02.0`), or that are many and of one line, as those of /sys are.
 *
 * `files.json` lists them by path: the text, `{ "link": … }`, or `{ "base64": … }`.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

type Listed = string | { link: string } | { base64: string };

const copies = new Map<string, string>();

/** The folder itself when it lists none; otherwise a copy with them, made once and removed with this process. */
export function withListedFiles(folder: string): string {
  const list = join(folder, 'files.json');
  if (!existsSync(list)) return folder;
  const made = copies.get(folder);
  if (made) return made;
  const copy = mkdtempSync(join(tmpdir(), 'os-inspector-host-'));
  process.once('exit', () => rmSync(copy, { recursive: true, force: true }));
  cpSync(folder, copy, { recursive: true, verbatimSymlinks: true });
  rmSync(join(copy, 'files.json'));
  for (const [path, listed] of Object.entries<Listed>(JSON.parse(readFileSync(list, 'utf8')))) {
    const file = join(copy, path);
    mkdirSync(dirname(file), { recursive: true });
    if (typeof listed === 'string') writeFileSync(file, listed);
    else if ('link' in listed) symlinkSync(listed.link, file);
    else writeFileSync(file, Buffer.from(listed.base64, 'base64'));
  }
  copies.set(folder, copy);
  return copy;
}
