/** soak: thousands of reports of every plugin, one after another: what the agent holds on to. */
import { startAcknowledgingApi } from '../../test/support/acknowledging-api.ts';
import { node, start } from '../../test/support/process.ts';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import { printLine, readFlags } from '../benchmark.ts';

const defaults = { reports: 2_000 };

export async function main(args: string[] = []): Promise<void> {
  const { reports } = readFlags(args, defaults);
  const api = await startAcknowledgingApi();
  const state = await temporaryFolder();
  console.log(
    `\nagent soak: ${reports} reports, collected, spooled, delivered and acknowledged one after another`,
  );
  const { child, exit } = start(node, ['test/support/soak-cycles.ts', api.url, state, String(reports)]);
  child.stdout?.on('data', (text: string) => {
    for (const line of text.trim().split('\n')) {
      const { reports, residentMiB, threads, descriptors, handles, cpuMsPerReport } = JSON.parse(line);
      printLine({
        name: `after ${reports} reports`,
        figure: `${residentMiB} MiB`,
        beside: `${threads} threads, ${descriptors} files, ${handles} handles; ${cpuMsPerReport} ms of CPU a report`,
      });
    }
  });
  const { code, stderr } = await exit;
  if (code !== 0) throw new Error(`ended with ${code}: ${stderr}`);
  if (api.requestBytes.length !== reports)
    throw new Error(`${api.requestBytes.length} requests for ${reports}`);
}
