/** access: everything by which the agent gets at the API, read from where the config and the environment say it is. */
import type { AgentConfig, Overrides } from '../config.ts';
import type { Problem } from '../problem.ts';
import { readEnrolment, readToken } from '../token.ts';
import { readTls, type TlsFiles, type TlsMaterial } from './tls-files.ts';

export type Access = {
  /** Sent as a bearer token. A secret: never shown and never logged. */
  token: string | null;
  /** By which the host gets a credential of its own; likewise a secret. */
  enrolment: string | null;
  tls: TlsMaterial;
};

export type ReadAccess = Access & { problems: Problem[]; warnings: string[]; files: string[] };

export type AccessOptions = {
  overrides: Overrides;
  env: Readonly<Record<string, string | undefined>>;
  /** Whether the state folder holds a credential: then a secret that was used up may be gone. */
  isEnrolled: boolean;
  /** Milliseconds since 1970. */
  now: number;
};

const noFiles: TlsFiles = { ca: null, clientCert: null, clientKey: null };

/** @param config null where it is too wrong to say */
export async function readAccess(
  config: Pick<AgentConfig, 'url' | 'tokenFrom' | 'enrolmentFrom' | 'tlsFiles'> | null,
  { overrides, env, isEnrolled, now }: AccessOptions,
): Promise<ReadAccess> {
  const files = config?.tlsFiles ?? noFiles;
  const [token, enrolment, tls] = await Promise.all([
    readToken(config?.tokenFrom ?? null, overrides, env),
    readEnrolment(config?.enrolmentFrom ?? null, overrides, env),
    readTls(files, now),
  ]);
  const named = Object.values(files).filter((file) => file !== null);
  const unused = config?.url?.startsWith('http://') && named.length > 0;
  const gone = enrolment.problems.map(({ path, message }) => `${path}: ${message}; this host is enrolled`);
  return {
    ...{ token: token.token, enrolment: enrolment.token, tls: tls.tls },
    problems: [...token.problems, ...(isEnrolled ? [] : enrolment.problems), ...tls.problems],
    warnings: [
      ...[...token.warnings, ...enrolment.warnings, ...tls.warnings, ...(isEnrolled ? gone : [])],
      ...(unused ? ['api.url: begins with http://, so api.ca, clientCert and clientKey do nothing'] : []),
    ],
    files: named,
  };
}
