/**
 * enrolment: how a host gets credentials of its own: it shows an enrolment secret once, and keeps what it is given.
 *
 * The credential is good for reports of this host alone. When the API refuses it, the host enrols again, which ends the old
 * one; how often is bounded, as a secret may be good for a few times only.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText } from '../error-text.ts';
import { withFileLock } from '../file-lock.ts';
import type { Log } from '../run.ts';
import { shownUrl } from '../shown-url.ts';
import { type Hints, notGraphQL, SubmitError, unavailable } from '../submit-error.ts';
import { type ApiAddress, requestApi } from './api-request.ts';
import { type Credentials, hintsForNone } from './credentials.ts';
import {
  credentialFile,
  isGoodFor,
  protectCredential,
  readCredential,
  type StoredCredential,
  writeCredential,
} from './stored-credential.ts';

/** Whether a host without a credential enrols, or only shows that its secret is good, which uses nothing up. */
export type EnrolmentMode = 'enrol' | 'try';

export type EnrolmentParts = {
  mode: EnrolmentMode;
  api: ApiAddress;
  /** The enrolment secret; null where there is none, or none any more. */
  secret: string | null;
  /** Null for a host that has no id yet, and so cannot be enrolled. */
  hostId: string | null;
  hostName(): Promise<string>;
  stateFolder: string;
  log: Pick<Log, 'info'>;
  /** Milliseconds since 1970. */
  now(): number;
};

/** Between two enrolments whose credential the API did not take: doubles from one to the other. */
const renewAfterMs = { first: 60_000, most: 3_600_000 };

const enrolHost = /* GraphQL */ `
  mutation EnrolHost($hostId: UUID!, $hostName: String!) {
    enrolHost(hostId: $hostId, hostName: $hostName) {
      credential
      hostId
      expiresAt
    }
  }
`;
type EnrolHostData = { enrolHost: { credential: string; hostId: string; expiresAt: string | null } };

/** Of enrolling itself. */
export const secretHints: Hints = {
  UNAUTHENTICATED:
    'the enrolment secret of api.enrolment or OS_INSPECTOR_ENROLMENT is wrong, used up, revoked or has expired: make another with "os-inspector-api token create --name fleet --enrol"',
  FORBIDDEN:
    'what api.enrolment or OS_INSPECTOR_ENROLMENT names enrols no hosts: make an enrolment secret with "os-inspector-api token create --name fleet --enrol"',
};

export function enrolledCredentials(parts: EnrolmentParts): Credentials {
  const { mode, api, secret, hostId, hostName, stateFolder, log, now } = parts;
  let known: StoredCredential | null = null;
  let renewals = 0;
  let renewableAt = Number.NEGATIVE_INFINITY;

  function isOurs(stored: StoredCredential | null): stored is StoredCredential {
    return stored !== null && isGoodFor(stored, { hostId, url: api.url, now: now() });
  }

  async function stored(): Promise<StoredCredential | null> {
    const found = await readCredential(stateFolder).catch((error) => {
      const file = credentialFile(stateFolder);
      const how = 'let the account of the agent read it, or remove it to enrol again';
      throw unavailable(`the credential of this host in ${file} cannot be read: ${errorText(error)}; ${how}`);
    });
    if (!isOurs(found)) return null;
    if (mode === 'enrol') await protectCredential(stateFolder).catch(() => {});
    return found;
  }

  async function enrol(hostId: string, secret: string, stop: AbortSignal): Promise<StoredCredential> {
    const variables = { hostId, hostName: await hostName() };
    const request = { document: enrolHost, variables, token: secret, hints: secretHints };
    const data = await requestApi<EnrolHostData>(api, request, stop);
    const given = data?.enrolHost;
    if (!given || !/^[\x21-\x7e]+$/.test(given.credential)) throw notGraphQL(shownUrl(api.url));
    const { credential, expiresAt } = given;
    const enrolled = { hostId, url: api.url, credential, expiresAt: expiresAt ?? null };
    await writeCredential(stateFolder, enrolled).catch((error) => {
      const text = `this host was enrolled, and its credential cannot be kept in ${stateFolder}: ${errorText(error)}`;
      throw unavailable(`${text}; make the folder writable, or name another with --state`);
    });
    log.info({ hostId, url: shownUrl(api.url), expiresAt: enrolled.expiresAt }, 'host enrolled');
    return enrolled;
  }

  /** Enrols unless another process, such as `once` beside `run`, has done so since. */
  async function enrolUnlessOther(
    refused: string | null,
    stop: AbortSignal,
  ): Promise<StoredCredential | null> {
    if (mode === 'try' || hostId === null || secret === null) return null;
    try {
      await mkdir(stateFolder, { recursive: true });
      return await withFileLock(join(stateFolder, 'credential.lock'), async () => {
        const found = await stored();
        return found && found.credential !== refused ? found : enrol(hostId, secret, stop);
      });
    } catch (error) {
      stop.throwIfAborted();
      if (error instanceof SubmitError) throw error;
      const how = 'name a folder that the agent may write to with --state';
      throw unavailable(`this host cannot be enrolled: ${errorText(error)}; ${how}`, error);
    }
  }

  function hints(): Hints {
    if (known === null) return secret === null ? hintsForNone : secretHints;
    const file = credentialFile(stateFolder);
    return {
      UNAUTHENTICATED:
        secret === null
          ? `the credential in ${file} is revoked: set api.enrolment to enrol this host again`
          : `the credential in ${file} is revoked; "run" enrols this host again, at most once a minute`,
      FORBIDDEN: `the credential in ${file} is for reports of host ${hostId} alone; those of another, as of a disk that this one was cloned from, may be removed from the spool`,
    };
  }

  return {
    get hints() {
      return hints();
    },
    async current(stop) {
      if (!isOurs(known)) known = (await stored()) ?? (await enrolUnlessOther(null, stop));
      return known?.credential ?? secret;
    },
    async renew(refused, stop) {
      const found = await stored();
      if (found && found.credential !== refused) {
        known = found;
        return found.credential;
      }
      if (known === null || secret === null || now() < renewableAt) return null;
      if (now() > renewableAt + renewAfterMs.most) renewals = 0;
      renewableAt = now() + Math.min(renewAfterMs.first * 2 ** renewals, renewAfterMs.most);
      renewals += 1;
      const other = await enrolUnlessOther(refused, stop);
      known = other ?? known;
      return other?.credential ?? null;
    },
  };
}
