/**
 * host-identity: which host this is, made once and kept in the state folder as `host.json`.
 *
 * Agents that start at the same time agree on one id. What cannot be read, or belongs to another
 * machine, is never overwritten but set aside. A recorded host is no machine: it has an id of its own, in a
 * folder of its own.
 */
import { createHash, randomUUID } from 'node:crypto';
import { readFile, rename } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { errorText, OperatorError } from './error-text.ts';
import { withFileLock } from './file-lock.ts';
import { type Fingerprint, isSameMachine } from './fingerprint.ts';
import { makeFolder } from './make-folder.ts';
import { writeDurably } from './write-durably.ts';

/** The state folder cannot be used; the message says why and what to do. */
export class StateError extends OperatorError {
  override name = 'StateError';
}

export type IdentityOptions = {
  /** Made if it is not there. */
  stateFolder: string;
  /** Of the machine that the agent runs on now. */
  fingerprint: Fingerprint;
  /** Told what the operator should know: a damaged file, a cloned disk. */
  warn(message: string, fields: Record<string, unknown>): void;
};

export type HostIdentity = {
  id: string;
  /** The id that the disk came with from another machine; null when it was made here. */
  clonedFrom: string | null;
};

/** What `host.json` holds. Written here alone; keys that a later version adds are no damage. */
const storedIdentity = z.object({
  id: z.uuid(),
  clonedFrom: z.uuid().nullable().default(null),
  fingerprint: z.array(z.string()),
});
type StoredIdentity = z.output<typeof storedIdentity>;

/** More than a machine ever has at once; what was replaced long ago falls off the end. */
const maxComponents = 64;

/**
 * Returns who the host is, the same every time and for every agent that uses this folder.
 *
 * @throws StateError when it can neither be read nor kept
 */
export async function loadIdentity({
  stateFolder,
  fingerprint,
  warn,
}: IdentityOptions): Promise<HostIdentity> {
  const path = identityFile(stateFolder);
  try {
    const known = parse(await readIfThere(path));
    const isOurs = known !== null && isSameMachine(known.fingerprint, fingerprint);
    if (isOurs && fingerprint.every((component) => known.fingerprint.includes(component))) {
      return toIdentity(known);
    }
    await makeFolder(stateFolder);
    const updated = withFileLock(join(stateFolder, 'host.lock'), () => update(path, fingerprint, warn));
    if (!isOurs) return await updated;
    return await updated.catch((error) => {
      // The id is known, and that is what counts: a folder that was made read-only still serves.
      warn('the fingerprint of this host cannot be updated', { path, cause: errorText(error) });
      return toIdentity(known);
    });
  } catch (cause) {
    const hint = 'name a folder that the agent may write to with --state';
    throw new StateError(`cannot keep the host id in ${stateFolder}: ${errorText(cause)}; ${hint}`, {
      cause,
    });
  }
}

/**
 * Returns what is kept in this folder, of whichever machine; null when there is nothing. Writes nothing.
 *
 * @throws StateError when there is one that cannot be read
 */
export async function readIdentity(stateFolder: string): Promise<HostIdentity | null> {
  const path = identityFile(stateFolder);
  try {
    const text = await readIfThere(path);
    const known = parse(text);
    if (text !== null && known === null) throw new Error('it is damaged');
    return known && toIdentity(known);
  } catch (cause) {
    throw new StateError(`cannot read the host id in ${path}: ${errorText(cause)}`, { cause });
  }
}

/** Where the id of a recorded host is kept: that of the machine which replays it is never touched. */
export function recordedStateFolder(stateFolder: string, root: string): string {
  const name = createHash('sha256').update(resolve(root)).digest('hex').slice(0, 16);
  return join(stateFolder, 'recorded', name);
}

function identityFile(stateFolder: string): string {
  return join(stateFolder, 'host.json');
}

/** Under the lock, so what is read here is what others have left. */
async function update(
  path: string,
  fingerprint: Fingerprint,
  warn: IdentityOptions['warn'],
): Promise<HostIdentity> {
  const text = await readIfThere(path);
  const known = parse(text);
  if (known && isSameMachine(known.fingerprint, fingerprint)) {
    const merged = [...new Set([...fingerprint, ...known.fingerprint])].slice(0, maxComponents);
    await write(path, { ...known, fingerprint: merged });
    return toIdentity(known);
  }
  if (known) {
    const fields = { previousId: known.id, keptAs: await setAside(path, 'cloned') };
    warn(
      'host.json is of another machine or container, a cloned disk or image: this host gets a new id',
      fields,
    );
  } else if (text !== null) {
    const keptAs = await setAside(path, 'damaged');
    warn('host.json was damaged and is replaced: this host gets a new id', { keptAs });
  }
  const identity = { id: randomUUID(), clonedFrom: known?.id ?? null };
  await write(path, { ...identity, fingerprint: [...fingerprint] });
  return identity;
}

async function readIfThere(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
}

function toIdentity({ id, clonedFrom }: StoredIdentity): HostIdentity {
  return { id, clonedFrom };
}

function parse(text: string | null): StoredIdentity | null {
  try {
    return storedIdentity.parse(JSON.parse(text ?? ''));
  } catch {
    return null;
  }
}

/** After a power cut the host must still know its id. */
async function write(path: string, identity: StoredIdentity): Promise<void> {
  const file = { path, temporary: `${path}.tmp`, mode: 0o644 };
  await writeDurably(file, `${JSON.stringify(identity, null, 2)}\n`);
}

/** Renames the file and returns its new path. */
async function setAside(path: string, why: string): Promise<string> {
  const aside = `${path}.${why}-${new Date().toISOString().replaceAll(':', '')}`;
  await rename(path, aside);
  return aside;
}
