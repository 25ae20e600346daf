/**
 * stored-credential: what this host was given when it was enrolled, as `credential.json` in the state folder.
 *
 * It is good for one host id at one API only: a clone, which has an id of its own, must not report as the host that it was
 * copied from, and a secret must not be shown to an API that did not give it.
 */
import { chmod, mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeDurably } from '../write-durably.ts';

export type StoredCredential = {
  hostId: string;
  /** Address of the API that gave it. */
  url: string;
  /** A secret. */
  credential: string;
  /** RFC 3339; null for one that does not expire. */
  expiresAt: string | null;
};

const storedCredential = z.object({
  hostId: z.uuid(),
  url: z.string(),
  credential: z.string().regex(/^[\x21-\x7e]+$/),
  expiresAt: z.iso.datetime({ offset: true }).nullable(),
});

const privateMode = 0o600;

export function credentialFile(stateFolder: string): string {
  return join(stateFolder, 'credential.json');
}

/**
 * Null where there is none; what is damaged counts as none, as enrolling makes another.
 *
 * @throws when it is there and cannot be read
 */
export async function readCredential(stateFolder: string): Promise<StoredCredential | null> {
  const text = await readFile(credentialFile(stateFolder), 'utf8').catch((error) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw error;
  });
  try {
    return storedCredential.parse(JSON.parse(text ?? ''));
  } catch {
    return null;
  }
}

/** Whether there is one that can be read, good or not. */
export async function isEnrolled(stateFolder: string): Promise<boolean> {
  return (await readCredential(stateFolder).catch(() => null)) !== null;
}

/** Whether it is of this host, at this API, and has not expired. */
export function isGoodFor(
  { hostId, url, expiresAt }: StoredCredential,
  wanted: { hostId: string | null; url: string; now: number },
): boolean {
  if (hostId !== wanted.hostId || url !== wanted.url) return false;
  return expiresAt === null || Date.parse(expiresAt) > wanted.now;
}

/** Readable by the agent's account alone, and still there after a power cut: the API gives none twice. */
export async function writeCredential(stateFolder: string, credential: StoredCredential): Promise<void> {
  await mkdir(stateFolder, { recursive: true });
  const path = credentialFile(stateFolder);
  const file = { path, temporary: `${path}.${process.pid}.tmp`, mode: privateMode };
  await writeDurably(file, `${JSON.stringify(credential, null, 2)}\n`);
}

/** Takes away what others may do with the file; they could read it only where somebody loosened it. */
export async function protectCredential(stateFolder: string): Promise<void> {
  const path = credentialFile(stateFolder);
  const { mode } = await stat(path);
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) await chmod(path, privateMode);
}
