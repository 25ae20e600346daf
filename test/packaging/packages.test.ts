/** The agent as it is handed out: one bundled file, a single executable, a Debian package. Built once for all. */
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildBundle } from '../../scripts/package/bundle.ts';
import { buildExecutable } from '../../scripts/package/sea.ts';
import { hostWith } from '../support/agent-host.ts';
import { describeIf } from '../support/needs.ts';
import { node, run } from '../support/process.ts';
import { startStubApi } from '../support/stub-api.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { describeAgent } from './agent-suite.ts';
import { canInstallDeb, debNeeded, describeDeb } from './deb-suite.ts';

let bundle: string;
let executable: string;

beforeAll(async () => {
  const folder = await temporaryFolder();
  const built = join(folder, 'built');
  await buildBundle(join(built, 'os-inspector-agent.js'));
  await buildExecutable(join(built, 'os-inspector-agent.js'), join(built, 'os-inspector-agent'));
  // Elsewhere and apart, so that neither finds what the other or its build has left.
  [bundle, executable] = ['a/agent.mjs', 'b/agent'].map((name) => join(folder, name)) as [string, string];
  for (const name of ['a', 'b']) mkdirSync(join(folder, name));
  cpSync(join(built, 'os-inspector-agent.js'), bundle);
  cpSync(join(built, 'os-inspector-agent'), executable);
});

describe('the bundle', () => {
  describeAgent(() => ({ program: node, before: [bundle] }));

  test('is small, and in ASCII, which V8 keeps in half the memory', () => {
    const bytes = readFileSync(bundle);
    expect(bytes.length).toBeLessThan(4_000_000);
    expect(bytes.findIndex((byte) => byte > 0x7f)).toBe(-1);
  });

  test("loads none of Node's fetch, nor TLS for an API without", async () => {
    const api = await startStubApi();
    const cwd = await hostWith({ api: { url: api.url } });
    const tell = 'process.on("exit",()=>process.stderr.write(process.moduleLoadList.join(" ")))';
    const args = ['--import', `data:text/javascript,${tell}`, bundle, 'once'];
    const { stdout, stderr } = await run(node, args, { cwd, env: { STATE_DIRECTORY: join(cwd, 'state') } });
    expect(stdout).toBe('success\n');
    expect(stderr).toContain('NativeModule _http_client');
    expect(stderr).not.toMatch(/NativeModule (?:internal\/deps\/undici|https|_tls_wrap)/);
  });
});

describe('the single executable', () => {
  describeAgent(() => ({ program: executable, before: [] }));
});

describeIf(canInstallDeb(), debNeeded, 'the Debian package', () => describeDeb(() => executable));
