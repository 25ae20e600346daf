/**
 * headers: what every answer says to browsers: that it belongs to nobody else's page, and is kept nowhere.
 *
 * Set on the socket's own answer before anything fills it: so errors that no route makes have them as well. What a
 * route says itself stands.
 */
import { createHash } from 'node:crypto';

/** A year, in seconds; for this name alone: others below it may have no TLS. */
const hsts = 'max-age=31536000';

const always: readonly [string, string][] = [
  ['x-content-type-options', 'nosniff'],
  // Queries stand in the page's address. `no-referrer` would take the origin out of requests that are to prove theirs.
  ['referrer-policy', 'same-origin'],
  ['cross-origin-opener-policy', 'same-origin'],
  ['cross-origin-resource-policy', 'same-origin'],
  ['content-security-policy', "default-src 'none'; frame-ancestors 'none'"],
  ['cache-control', 'no-store'],
];

export function securityHeaders(isTls: boolean): readonly [string, string][] {
  return isTls ? [...always, ['strict-transport-security', hsts]] : always;
}

/**
 * The policy for a page that has all of its scripts in it: none but these run, and it asks only the API it came from.
 *
 * Styles are not told one by one: its editor writes the place of each line as a style attribute, and no hash can know
 * these. They can load nothing.
 */
export function pagePolicy(html: string): string {
  const scripts = [...html.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(([, script = '']) =>
    hashOf(script),
  );
  return [
    "default-src 'none'",
    `script-src ${[...new Set(scripts)].join(' ')}`,
    // The editor makes its workers of text in those scripts.
    'worker-src blob:',
    "style-src 'unsafe-inline'",
    'img-src data:',
    'font-src data:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

function hashOf(script: string): string {
  return `'sha256-${createHash('sha256').update(script).digest('base64')}'`;
}
