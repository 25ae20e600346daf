/** token: secrets that the agent shows to the API: from the environment, or from where the config says they are. */
import { readSecret, SecretError, type SecretReference } from '../plugins/secret.ts';
import type { Overrides } from './config.ts';
import type { Problem } from './problem.ts';

export type ReadToken = {
  /** Null when there is none, or a problem with it. */
  token: string | null;
  problems: Problem[];
  warnings: string[];
};

type Environment = Readonly<Record<string, string | undefined>>;

/** @param from what the config says; OS_INSPECTOR_TOKEN comes before it */
export function readToken(
  from: SecretReference | null,
  overrides: Overrides,
  env: Environment,
): Promise<ReadToken> {
  return read('api.token', from, { variable: 'OS_INSPECTOR_TOKEN', value: overrides.token }, env);
}

/** The enrolment secret. @param from what the config says; OS_INSPECTOR_ENROLMENT comes before it */
export function readEnrolment(
  from: SecretReference | null,
  overrides: Overrides,
  env: Environment,
): Promise<ReadToken> {
  const override = { variable: 'OS_INSPECTOR_ENROLMENT', value: overrides.enrolment };
  return read('api.enrolment', from, override, env);
}

async function read(
  path: string,
  from: SecretReference | null,
  override: { variable: string; value: string | undefined },
  env: Environment,
): Promise<ReadToken> {
  if (override.value) return checked(override.value, override.variable, []);
  if (from === null) return { token: null, problems: [], warnings: [] };
  try {
    const { secret, warning } = await readSecret(from, env);
    return checked(secret.reveal().trim(), path, warning === null ? [] : [`${path}: ${warning}`]);
  } catch (error) {
    if (!(error instanceof SecretError)) throw error;
    return { token: null, problems: [{ path, message: error.message }], warnings: [] };
  }
}

function checked(token: string, path: string, warnings: string[]): ReadToken {
  // fetch shows a header value that it refuses in its message, and so would the log.
  if (/^[\x21-\x7e]+$/.test(token)) return { token, problems: [], warnings };
  const message = 'holds a space or a character that no HTTP header can carry';
  return { token: null, problems: [{ path, message }], warnings };
}
