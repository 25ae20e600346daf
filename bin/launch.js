/**
 * launch: starts one part of os-inspector under a Node that can run it.
 *
 * Plain JavaScript that an old Node understands too, so that it can say what is wrong. An installed
 * package runs what was compiled to `dist`, as Node strips no types under node_modules; a checkout
 * runs its sources, and brings the right Node with it.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const oldestNode = 26;

/** Starts `agent` or `api` with this process's arguments. */
export function launch(part) {
  const source = new URL(`../${part}/main.ts`, import.meta.url);
  const isCheckout = existsSync(fileURLToPath(source));
  if (Number.parseInt(process.versions.node, 10) >= oldestNode) {
    return import(isCheckout ? source.href : new URL(`../dist/${part}/main.js`, import.meta.url).href);
  }
  const ownNode = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url));
  if (isCheckout && existsSync(ownNode)) return runUnder(ownNode, fileURLToPath(source));
  const remedy = isCheckout ? 'run "npm ci", which brings it' : 'install it from https://nodejs.org';
  process.stderr.write(
    `os-inspector needs Node ${oldestNode} or newer, and this is ${process.versions.node}: ${remedy}\n`,
  );
  process.exitCode = 1;
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
