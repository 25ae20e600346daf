/**
 * require-node: says what to do where an older Node runs than the one this project brings.
 *
 * Plain JavaScript, because the Node that it warns of cannot read TypeScript. Runs before the npm scripts.
 */
const oldestNode = 26;

if (Number.parseInt(process.versions.node, 10) < oldestNode) {
  process.stderr.write(
    `os-inspector needs Node ${oldestNode}, and this is ${process.version}. npm brings the right one as an optional
dependency: run "npm ci" again, without --omit=optional. On a platform it has none for, install Node ${oldestNode} yourself.
`,
  );
  process.exit(1);
}
