/**
 * host-name: the name that a Linux host has given itself.
 */
import type { LinuxFiles } from './linux-files.ts';
import { nodeOs } from './node-os.ts';

/**
 * The kernel's name, then that of /etc/hostname; under another root the other way about, as /proc answers
 * there for the namespace of whoever reads it. Null when nobody has set one.
 */
export async function readHostName(files: LinuxFiles, root: string): Promise<string | null> {
  const [node, kernel, etc] = await Promise.all([
    nodeOs(root),
    files.read('/proc/sys/kernel/hostname'),
    files.read('/etc/hostname'),
  ]);
  const names = root === '/' ? [kernel, etc] : [etc, kernel];
  return [...names, node.hostname()].map(named).find((name) => name !== null) ?? null;
}

/** `(none)` is what the kernel has before anyone sets a name; hostname(5) allows comments. */
function named(text: string | null): string | null {
  const lines = (text ?? '').split('\n').map((line) => line.trim());
  const name = lines.find((line) => line && !line.startsWith('#'));
  return name && name !== '(none)' ? name : null;
}
