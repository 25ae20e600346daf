/**
 * updates.linux: gathers pending updates and what tells of a reboot that is due.
 */
import type { CollectContext } from '../plugin.ts';
import { compareReleases, newestKernel, readInstalledKernels } from './installed-kernels.ts';
import { type LinuxFiles, linuxFiles } from './linux-files.ts';
import { nodeOs } from './node-os.ts';
import { once } from './once.ts';
import type { PendingUpdate } from './pending-updates.ts';
import { findUpdateManager, type UpdateManager } from './update-managers.ts';

/** Null where nothing tells of either, as in an image without a package manager. */
export async function collectUpdates(context: CollectContext) {
  const files = linuxFiles(context.root, context.signal);
  const [manager, reboot] = await Promise.all([findUpdateManager(files), readReboot(files, context.root)]);
  if (!manager?.stamp && reboot.rebootRequired === null) return null;
  return {
    ...reboot,
    manager: manager?.name ?? null,
    ...(await readPending(manager, context)),
    lastCheckedAt: manager?.lastCheckedAt ?? null,
  };
}

type Answer = { pending: PendingUpdate[] | null; problem: string | null };

async function readPending(manager: UpdateManager | null, context: CollectContext) {
  if (manager === null || manager.stamp === null) return toPending({ pending: null, problem: null }, false);
  const answer = await once(context.cache, 'pending', () => ask(manager, context), manager.stamp);
  return toPending(answer, manager.tellsSecurity);
}

/** A package manager that fails will fail again until something changes, and must not cost what is known of a reboot. */
async function ask(manager: UpdateManager, context: CollectContext): Promise<Answer> {
  try {
    return { pending: await manager.ask(context), problem: null };
  } catch (error) {
    context.signal.throwIfAborted();
    return { pending: null, problem: error instanceof Error ? error.message : String(error) };
  }
}

/** Shapes an answer into facts; pure. */
export function toPending({ pending, problem }: Answer, tellsSecurity: boolean) {
  const ordered = pending?.toSorted(
    (a, b) => compare(a.name, b.name) || compare(a.architecture ?? '', b.architecture ?? ''),
  );
  return {
    pendingCount: ordered?.length ?? null,
    pendingSecurityCount: ordered && tellsSecurity ? ordered.filter(({ security }) => security).length : null,
    pending: ordered ?? null,
    problem,
  };
}

async function readReboot(files: LinuxFiles, root: string) {
  const [node, required, packages, release, kernels] = await Promise.all([
    nodeOs(root),
    files.stamp('/run/reboot-required'),
    files.read('/run/reboot-required.pkgs'),
    files.read('/proc/sys/kernel/osrelease'),
    readInstalledKernels(files),
  ]);
  const running = release || node.release();
  const newest = running && newestKernel(kernels, running);
  return {
    rebootRequired: toRebootRequired(required !== null, running, newest),
    rebootPackages: packages === null ? null : toNames(packages),
    newestKernel: newest || null,
  };
}

/** Null where the host has no kernel of its own, as a container, and nobody says that a reboot is due. */
export function toRebootRequired(
  isRequested: boolean,
  running: string | null,
  newest: string | null,
): boolean | null {
  if (isRequested) return true;
  return running && newest ? compareReleases(running, newest) < 0 : null;
}

function toNames(packages: string): string[] {
  const names = packages.split('\n').map((name) => name.trim());
  return [...new Set(names.filter((name) => name !== ''))].sort();
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
