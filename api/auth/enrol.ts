/** enrol: hands an agent the credential that is bound to its host, and ends the one it had. */
import { Failure } from '../failure.ts';
import type { Credentials } from './credentials.ts';
import type { Identity } from './identity.ts';

export type Enrolled = { secret: string; credentialId: string; expiresAt: number | null };

/**
 * With `uses` of an enrolment secret, that many hosts keep their credential. Two nodes that hand out the last use in one
 * moment both may answer; the later of the two credentials is refused within seconds, as every node sees who was first.
 *
 * @param by an enrolment secret, or an administrator
 * @throws Failure INVALID when the secret is for another host, or has been used as often as it may be
 */
export async function enrol(
  credentials: Credentials,
  by: Identity,
  host: { id: string; name: string },
): Promise<Enrolled> {
  const hostId = host.id.toLowerCase();
  const own = by.kind === 'enrolment' ? by.narrowedTo?.hostId : null;
  if (own && own !== hostId) throw new Failure('INVALID', 'the enrolment secret is for another host');
  const listed = credentials.get(by.id);
  const { uses = null } = listed?.credential ?? {};
  if (by.kind === 'enrolment' && uses !== null && (listed?.enrolled ?? 0) >= uses) {
    throw new Failure('INVALID', 'the enrolment secret has been used as often as it may be');
  }
  const { credential, secret } = await credentials.create({
    kind: 'host',
    name: host.name,
    scopes: ['submit'],
    narrowedTo: { hostId, labels: null },
    expiresAt: null,
    uses: null,
    enrolment: by.kind === 'enrolment' ? by.id : null,
    createdBy: by.id,
  });
  return { secret, credentialId: credential.id, expiresAt: credential.expiresAt };
}
