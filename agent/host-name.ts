/** host-name: what this host is called, as the os plugin has it. */
import { hostname } from 'node:os';
import { readHostName } from '../plugins/sources/host-name.ts';
import { linuxFiles } from '../plugins/sources/linux-files.ts';

/** Asked for each report, as it may change while the agent runs. */
export async function hostNameOf(root: string): Promise<string> {
  const name = process.platform === 'linux' ? await readHostName(linuxFiles(root), root) : null;
  return name ?? hostname();
}
