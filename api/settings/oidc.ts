/** oidc: whose tokens are taken for people and services, and what they allow. */
import { type Scope, scopes } from '../auth/identity.ts';
import type { AuthSettings } from './auth.ts';
import { parseChoice } from './parse.ts';
import type { ReadSetting } from './read-setting.ts';

export type OidcSettings = {
  /** As tokens name it, `iss`. */
  issuer: string;
  /** Whom a token must be for, `aud`. */
  audience: string;
  /** Where the issuer's keys are; null asks `/.well-known/openid-configuration` of the issuer. */
  jwksUrl: string | null;
  /** The claim that says what its holder may do; in objects, with dots between the names. */
  scopesClaim: string;
  /** What each of the claim's values allows. */
  scopesOf: ReadonlyMap<string, readonly Scope[]>;
};

const scopesExample = 'say what the values of its claim allow, such as engineers=read,inventory-admins=admin';

export const oidcDefaults = {
  OIDC_ISSUER: '',
  OIDC_AUDIENCE: '',
  OIDC_JWKS_URL: '',
  OIDC_SCOPES_CLAIM: 'scope',
  OIDC_SCOPES: '',
} as const;

/** @returns null where no issuer is named */
export function readOidc(
  read: ReadSetting<keyof typeof oidcDefaults>,
  { auth }: Pick<AuthSettings, 'auth'>,
): { oidc: OidcSettings | null } {
  const issuer = read('OIDC_ISSUER', (value) => {
    if (value !== '' && auth === 'none')
      throw new Error('needs AUTH=required: without it nobody is asked for a token');
    return value === '' ? null : trustedUrl(value);
  });
  // Undefined where it cannot be used, which is told already.
  const goesWithIssuer = (value: string) => {
    if (value !== '' && issuer === null) throw new Error('needs OIDC_ISSUER');
    return value;
  };
  const oidc = {
    issuer: issuer ?? '',
    audience: read('OIDC_AUDIENCE', (value) => {
      if (value === '' && issuer) throw new Error('is missing: a token for anyone else would be as good');
      return goesWithIssuer(value);
    }),
    jwksUrl: read('OIDC_JWKS_URL', (value) => (goesWithIssuer(value) === '' ? null : trustedUrl(value))),
    scopesClaim: read('OIDC_SCOPES_CLAIM', (value) => value),
    scopesOf: read('OIDC_SCOPES', (value) => {
      // No default: some providers let people ask for any scope they like.
      if (value === '' && issuer) throw new Error(`is missing: ${scopesExample}`);
      return value === '' ? new Map() : parseScopes(goesWithIssuer(value));
    }),
  };
  return { oidc: issuer === null ? null : oidc };
}

/**
 * Who could change the keys on their way could make tokens.
 *
 * @throws Error that does not repeat the value, which may hold a password
 */
export function trustedUrl(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : null;
  const isLoopback = url !== null && /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  if (url?.protocol !== 'https:' && !(url?.protocol === 'http:' && isLoopback))
    throw new Error('must be an address that begins with https://, or with http:// of this machine');
  if (url.username || url.password)
    throw new Error('must not hold credentials: keys are for everyone to read');
  return value;
}

function parseScopes(value: string): Map<string, Scope[]> {
  const scopesOf = new Map<string, Scope[]>();
  for (const pair of value.split(',').map((part) => part.trim())) {
    const at = pair.lastIndexOf('=');
    if (at < 1)
      throw new Error(
        `must be such as engineers=read,inventory-admins=admin, but has ${JSON.stringify(pair)}`,
      );
    const name = pair.slice(0, at);
    scopesOf.set(name, [...(scopesOf.get(name) ?? []), parseChoice(pair.slice(at + 1), scopes)]);
  }
  return scopesOf;
}
