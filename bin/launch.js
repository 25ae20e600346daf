/**
 * launch: starts one part of os-inspector under a Node that can run it.
 *
 * Plain JavaScript that an old Node understands too, so that it can say what is wrong. An installed
 * package runs what was compiled to `dist`, as Node strips no types under node_modules; a checkout
 * runs its sources. Either brings the right Node along, unless it was installed without.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const oldestNode = 26;

/** Starts `agent` or `api` with this process's arguments. */
export function launch(part) {
  const source = new URL(`../${part}/main.ts`, import.meta.url);
  const isCheckout = existsSync(fileURLToPath(source));
  const script = isCheckout ? source : new URL(`../dist/${part}/main.js`, import.meta.url);
  if (Number.parseInt(process.versions.node, 10) >= oldestNode) return import(script.href);
  const node = findNode();
  if (node !== null) return runUnder(node, fileURLToPath(script));
  const remedy = isCheckout ? 'run "npm ci", which brings it' : 'install it from https://nodejs.org';
  process.stderr.write(
    `os-inspector needs Node ${oldestNode} or newer, and this is ${process.versions.node}: ${remedy}\n`,
  );
  process.exitCode = 1;
}

/** The Node of the package for this platform, one of our optional dependencies; null without it. */
function findNode() {
  const own = new URL('../package.json', import.meta.url);
  const names = Object.keys(JSON.parse(readFileSync(own, 'utf8')).optionalDependencies || {});
  const isWindows = process.platform === 'win32';
  const platform = `-${isWindows ? 'win' : process.platform}-${process.arch}`;
  const name = names.find((name) => name.endsWith(platform));
  if (name === undefined) return null;
  try {
    // As a module from here: npm may put it beside this package or within it.
    const folder = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
    const node = join(folder, 'bin', isWindows ? 'node.exe' : 'node');
    return existsSync(node) ? node : null;
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND') return null;
    throw error;
  }
}

/** Becomes that process as far as others can tell: signals go in, output and exit code come out. */
function runUnder(node, script) {
  const child = spawn(node, [script].concat(process.argv.slice(2)), { stdio: 'inherit' });
  const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'];
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`cannot start ${node}: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    for (const name of signals) process.removeAllListeners(name);
    process.kill(process.pid, signal);
  });
}
