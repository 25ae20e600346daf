/**
 * secret: what must not be written into a config, which only says where it is: in the environment, or in a file.
 *
 * Once read it shows itself to nobody who does not ask for it: not in a log, an error or JSON.
 */
import { channel } from 'node:diagnostics_channel';
import { readFile, stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { inspect } from 'node:util';
import { z } from 'zod';

/** Has, as text, what should be put right about a secret of a plugin's options while they are checked. */
export const secretWarnings = channel('os-inspector:secret-warning');

const shown = '[secret]';

/** A value that is shown as `[secret]` wherever it gets to. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself; to be asked for where it is used, and not kept. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return shown;
  }

  toJSON(): string {
    return shown;
  }

  [inspect.custom](): string {
    return shown;
  }
}

const hint =
  'must be { "env": "NAME" } or { "file": "/path" }: a config says where a secret is, never what it is';

/** As a config has it. */
export const secretReference = z
  .union(
    [
      z.strictObject({
        env: z
          .string()
          .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable')
          .describe('Name of the environment variable that holds it.'),
      }),
      z.strictObject({
        file: z
          .string()
          .refine(isAbsolute, 'must be an absolute path')
          .describe('Absolute path of the file that holds it; the newline at its end is left out.'),
      }),
    ],
    { error: hint },
  )
  .describe('Where a secret is; never the secret itself.');

export type SecretReference = z.output<typeof secretReference>;

/** The secret is not there or cannot be read; the message completes a sentence whose subject is the setting. */
export class SecretError extends Error {
  override name = 'SecretError';
}

export type ReadSecret = {
  secret: Secret;
  /** What the operator should put right; null when there is nothing. */
  warning: string | null;
};

/** Longer than any token or key, and not a file that was named by mistake. */
const maxBytes = 64 * 1024;

/** @throws SecretError */
export async function readSecret(
  reference: SecretReference,
  env: Readonly<Record<string, string | undefined>>,
): Promise<ReadSecret> {
  if ('env' in reference) {
    const value = env[reference.env];
    if (!value) throw new SecretError(`is to be in ${reference.env}, which the environment does not have`);
    return { secret: new Secret(value), warning: null };
  }
  const { file } = reference;
  const found = await readSecretFile(file).catch((cause) => {
    if (cause instanceof SecretError) throw cause;
    const why = cause.code === 'ENOENT' ? 'which is not there' : `which cannot be read: ${cause.code}`;
    throw new SecretError(`is to be in ${file}, ${why}`, { cause });
  });
  // On Windows the mode says nothing of who may read.
  const isOpen = process.platform !== 'win32' && (found.mode & 0o004) !== 0;
  return {
    secret: new Secret(found.value),
    warning: isOpen ? `${file} holds a secret that every user of this host can read: chmod o-r it` : null,
  };
}

/**
 * Of a plugin's `options`: a secret, which the config refers to as `{ "env": "NAME" }` or `{ "file": "/path" }`.
 * `collect` gets a `Secret`, and the value from its `reveal()`.
 */
export function secret() {
  return secretReference.transform(async (reference, ctx): Promise<Secret> => {
    try {
      const { secret, warning } = await readSecret(reference, process.env);
      if (warning !== null) secretWarnings.publish(warning);
      return secret;
    } catch (error) {
      if (!(error instanceof SecretError)) throw error;
      ctx.addIssue({ code: 'custom', message: error.message });
      return z.NEVER;
    }
  });
}

async function readSecretFile(file: string): Promise<{ value: string; mode: number }> {
  const { mode, size } = await stat(file).then((found) => {
    if (!found.isFile()) throw new SecretError(`is to be in ${file}, which is no file`);
    return found;
  });
  if (size > maxBytes) throw new SecretError(`is to be in ${file}, which is too large for a secret`);
  const value = (await readFile(file, 'utf8')).replace(/\r?\n$/, '');
  if (value === '') throw new SecretError(`is to be in ${file}, which is empty`);
  return { value, mode };
}
