/**
 * bundle: puts the agent and all it needs into one JavaScript file, which Node 26 runs by itself.
 *
 * Without comments and blanks, as V8 keeps the text as long as the agent runs. Names stay: what the agent logs of an error
 * names the function it came from.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type Plugin, rolldown } from 'rolldown';
import { outputs, repository } from './outputs.ts';

const bundled = join(import.meta.dirname, 'bundled');

const fetchClasses = join(bundled, 'fetch-classes.ts');

/** What looks for files beside itself, and what does the same in a bundle. */
const replaced = new Map([
  ['agent/version.ts', 'version.ts'],
  ['agent/isolation/worker-entry.ts', 'worker-entry.ts'],
]);

const replace: Plugin = {
  name: 'replace',
  resolveId(wanted, importer) {
    if (!wanted.startsWith('.') || importer === undefined) return null;
    for (const [file, replacement] of replaced) {
      if (resolve(importer, '..', wanted) === join(repository, file)) return join(bundled, replacement);
    }
    return null;
  },
};

/** @param file where it is written */
export async function buildBundle(file: string): Promise<void> {
  const build = await rolldown({
    input: join(bundled, 'main.ts'),
    cwd: repository,
    platform: 'node',
    plugins: [replace],
    transform: { inject: { Headers: [fetchClasses, 'Headers'], Response: [fetchClasses, 'Response'] } },
    // ES modules first, of which only what is used comes along: of graphql a seventh.
    resolve: { mainFields: ['module', 'main'] },
  });
  const { output } = await build.generate({
    format: 'esm',
    codeSplitting: false,
    minify: { compress: false, mangle: false, codegen: true },
  });
  await build.close();
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, inAscii(output[0].code));
}

/** V8 keeps a text of ASCII in half the memory, and each thread of a plugin has its own: 5 MB of an agent with one. */
function inAscii(code: string): string {
  // There the backslash would take that of the escape.
  const escaped = /\\[^\0-\x7f]/.exec(code);
  if (escaped) throw new Error(`${JSON.stringify(escaped[0])} in the bundle cannot be written in ASCII`);
  return code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

if (import.meta.main) {
  await buildBundle(outputs.bundle);
  process.stdout.write(`wrote ${outputs.bundle}: run it with Node 26 or newer\n`);
}
