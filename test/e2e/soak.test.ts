/** Report after report, collected by every built-in plugin, spooled, delivered and acknowledged: nothing is held on to. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startAcknowledgingApi } from '../support/acknowledging-api.ts';
import { node, run } from '../support/process.ts';
import type { SoakLine } from '../support/soak-cycles.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const reports = 200;

test.runIf(process.platform === 'linux')(
  'memory, threads, files and handles stay, and so does what an unchanged report takes on the wire',
  async () => {
    const api = await startAcknowledgingApi();
    const state = await temporaryFolder();
    const exit = await run(node, [
      '--expose-gc',
      'test/support/soak-cycles.ts',
      api.url,
      state,
      String(reports),
    ]);
    expect(exit).toMatchObject({ code: 0, stderr: '' });
    const lines = exit.stdout
      .trim()
      .split('\n')
      .map((line): SoakLine => JSON.parse(line));
    console.log(`${reports} reports of all built-in plugins:`);
    console.table(lines);
    expect(api.requestBytes).toHaveLength(reports);
    expect(readdirSync(join(state, 'spool'))).toEqual([]);
    const [, first, ...later] = lines;
    for (const line of later) {
      expect(line.threads).toBeLessThanOrEqual(first?.threads ?? 0);
      expect(line.descriptors).toBeLessThanOrEqual((first?.descriptors ?? 0) + 2);
      expect(line.handles).toBeLessThanOrEqual((first?.handles ?? 0) + 2);
    }
    // The first is whole; of the others some have facts that did change meanwhile, such as the ports of other tests.
    const [whole = 0, ...rest] = api.requestBytes;
    const usual = rest.sort((a, b) => a - b)[rest.length >> 1] ?? 0;
    console.log(`on the wire: ${whole} bytes at first, ${usual} as a rule`);
    expect(usual).toBeLessThan(3_000);
    // Without garbage, of which V8 lets gather ever more while that is cheaper: resident memory says little.
    // Code that V8 compiles makes a little; reports that were held on to would make tens.
    expect(lines.at(-1)?.usedMiB).toBeLessThanOrEqual((lines[2]?.usedMiB ?? 0) + 3);
  },
);
