/**
 * mac-address: hardware addresses as the facts have them.
 */

const pattern = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}(?:(?::[0-9a-f]{2}){2}|(?::[0-9a-f]{2}){14})?$/;

/**
 * In lower case with colons; null for all zeros, which stand for none, and for the link addresses of
 * tunnels, which are IP addresses and so of another length.
 */
export function macOrNull(address: string | null | undefined): string | null {
  const lower = (address ?? '').trim().toLowerCase().replaceAll('-', ':');
  return pattern.test(lower) && /[^0:]/.test(lower) ? lower : null;
}
