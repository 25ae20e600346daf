/** access-checks: by what the agent gets at the API: its enrolment, and the certificate that it shows. */
import { X509Certificate } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { Access } from '../access/access.ts';
import { credentialFile, isGoodFor, readCredential } from '../access/stored-credential.ts';
import { judgeValidity } from '../access/tls-files.ts';
import { errorText } from '../error-text.ts';
import { readIdentity } from '../host-identity.ts';
import { type Check, failed, ok, warning } from './check.ts';

const enrolTodo =
  'set api.enrolment to a secret made with "os-inspector-api token create --name fleet --enrol"';

export type EnrolmentOptions = { access: Access; url: string; stateFolder: string; now: number };

/** Null where no enrolment is meant. */
export async function checkEnrolment(options: EnrolmentOptions): Promise<Check | null> {
  const { access, url, stateFolder, now } = options;
  if (access.token !== null) return null;
  const file = credentialFile(stateFolder);
  try {
    const stored = await readCredential(stateFolder);
    const hasFile = await stat(file).catch(() => null);
    const hostId = (await readIdentity(stateFolder).catch(() => null))?.id ?? null;
    if (stored === null && hasFile === null && access.enrolment === null) return null;
    const willEnrol = access.enrolment !== null;
    if (stored === null) {
      const what = hasFile ? `${file} is damaged` : 'this host is not enrolled yet';
      if (!willEnrol) return failed('enrolment', what, enrolTodo);
      return ok('enrolment', `${what}; "run" and "once" enrol it`);
    }
    if (!isGoodFor(stored, { hostId, url, now })) {
      const what = `${file} is of another host or another API, or has expired`;
      if (!willEnrol) return failed('enrolment', what, enrolTodo);
      return ok('enrolment', `${what}; "run" and "once" enrol this host anew`);
    }
    const until = stored.expiresAt === null ? 'does not expire' : `is valid until ${stored.expiresAt}`;
    const detail = `host ${stored.hostId} is enrolled; its credential ${until}`;
    if (process.platform !== 'win32' && ((hasFile?.mode ?? 0) & 0o077) !== 0) {
      return warning('enrolment', `${detail}, and others may read ${file}`, `chmod 600 ${file}`);
    }
    return ok('enrolment', detail);
  } catch (error) {
    const todo = 'run doctor as the account of the agent';
    return failed('enrolment', `${file} cannot be read: ${errorText(error)}`, todo);
  }
}

/** Null where none is set. What is wrong with the files themselves is a problem of the config. */
export function checkClientCertificate({ tls }: Access, now: number): Check | null {
  if (tls.cert === null || tls.key === null) return null;
  const name = 'client certificate';
  const certificate = new X509Certificate(tls.cert);
  const { status, detail } = judgeValidity(certificate, now);
  const told = `${detail}; it is of ${certificate.subject.replaceAll('\n', ', ') || 'nobody'}`;
  if (status === 'OK') return ok(name, told);
  if (status === 'SOON') return warning(name, told, 'renew the certificate of api.clientCert');
  const todo = 'renew the certificate of api.clientCert, or set the clock of this machine';
  return failed(name, told, todo);
}
