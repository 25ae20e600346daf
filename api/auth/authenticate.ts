/**
 * authenticate: who sends a request, by the credentials that it shows.
 *
 * `Authorization: Bearer SECRET`, or `Basic` with the secret as the password of any user: browsers, `curl -u` and agents
 * of the Python system, whose address may be `x:SECRET@host`, have no other way.
 */

import { identityOfCredential, isSecret } from './credential.ts';
import type { Credentials } from './credentials.ts';
import type { CredentialState } from './directory.ts';
import type { Identity } from './identity.ts';

/** Why a request is not let in. Tells a stranger nothing: what is more was said by whoever holds the secret. */
export type Refusal = {
  code: 'UNAUTHENTICATED' | 'UNAVAILABLE';
  message: string;
  /** For the log alone: the credential that is good no more. */
  credential?: string;
  /** For the log alone: what is wrong with a token of somebody else's. */
  reason?: string;
};

/** Says who holds a token that another party has signed. */
export type VerifyJwt = (token: string) => Promise<Identity | Refusal>;

export type Authenticate = (
  headers: Pick<Headers, 'get'>,
  certificate: Identity | null,
) => Promise<Identity | Refusal>;

export type AuthenticateOptions = {
  credentials: Pick<Credentials, 'find'>;
  /** Null where no identity provider is configured. */
  verifyJwt: VerifyJwt | null;
  /** Told of each credential that was good. */
  onUse: (id: string) => void;
};

const nobody: Refusal = {
  code: 'UNAUTHENTICATED',
  message: 'credentials are needed: send "Authorization: Bearer" with a token',
};
const unknown: Refusal = { code: 'UNAUTHENTICATED', message: 'these credentials are not known here' };

const reasons: Record<Exclude<CredentialState, 'valid'>, string> = {
  expired: 'this token has expired: ask for another one',
  revoked: 'this token has been revoked: ask for another one',
  replaced: 'these credentials were replaced when the host enrolled again',
  spent: 'these credentials were made with an enrolment secret that had been used up',
};

export function isRefusal(answer: Identity | Refusal): answer is Refusal {
  return 'code' in answer;
}

export function makeAuthenticate({ credentials, verifyJwt, onUse }: AuthenticateOptions): Authenticate {
  return async (headers, certificate) => {
    const secret = secretIn(headers.get('authorization'));
    // What is sent on purpose comes before what the connection has anyway.
    if (secret === null) return certificate ?? nobody;
    if (!isSecret(secret)) return isJwt(secret) && verifyJwt ? verifyJwt(secret) : unknown;
    const found = await credentials.find(secret);
    if (!found) return unknown;
    const { credential, state } = found;
    if (state !== 'valid') {
      return { code: 'UNAUTHENTICATED', message: reasons[state], credential: credential.id };
    }
    onUse(credential.id);
    return identityOfCredential(credential);
  };
}

/** Empty for credentials of a kind that is not taken; null where there are none. */
function secretIn(authorization: string | null): string | null {
  const [, scheme = '', value = ''] = /^\s*(\S+)\s*(.*?)\s*$/.exec(authorization ?? '') ?? [];
  switch (scheme.toLowerCase()) {
    case '':
      return null;
    case 'bearer':
      return value;
    case 'basic': {
      const [user = '', ...password] = Buffer.from(value, 'base64').toString().split(':');
      return password.join(':') || user;
    }
    default:
      return '';
  }
}

function isJwt(text: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]*$/.test(text);
}
