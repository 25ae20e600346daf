/**
 * narrowing: which hosts are there for an identity that is narrowed.
 *
 * A host is within by what it is now: its id, and the labels that its newest report tells. With it goes all that it ever
 * told, whatever its labels were then; once its labels say otherwise, nothing of it is there any more. So a narrowed fleet
 * is one that consists of these hosts and has no others.
 */
import { toComparable, withoutNul } from '../index/comparable.ts';
import { hostPathRoot } from '../index/digest.ts';
import type { FactsFilter, HostFilter } from '../index/filter.ts';
import { ofHost } from '../index/filter-condition.ts';
import type { HostRow } from '../index/index-store.ts';
import type { Narrowing } from './identity.ts';

/** What of a host decides whether it is within. */
export type Placed = Pick<HostRow, 'id' | 'labels'>;

/** Hosts within, as they are now. */
export function hostsWithin(narrowing: Narrowing): HostFilter {
  const { hostId, labels } = checked(narrowing);
  const filters: HostFilter[] = Object.entries(labels ?? {}).map(labelled);
  if (hostId !== null) filters.push(idIs('id', hostId));
  return { kind: 'and', filters };
}

/** The same of a host that was read. */
export function isWithin(narrowing: Narrowing, { id, labels }: Placed): boolean {
  const { hostId, labels: wanted } = checked(narrowing);
  if (hostId !== null && id.toLowerCase() !== hostId.toLowerCase()) return false;
  // As the index compares them.
  const told = new Map(Object.entries(labels).map(([name, value]) => [withoutNul(name), withoutNul(value)]));
  return Object.entries(wanted ?? {}).every(
    ([name, value]) => told.get(withoutNul(name)) === withoutNul(value),
  );
}

/** A test of a field that holds an id. */
export function idIs<Field extends string>(field: Field, id: string) {
  return { kind: 'field' as const, field, tests: [{ op: 'eq' as const, value: id.toLowerCase() }] };
}

/** Equal for narrowings that mean the same. */
export function narrowingKey({ hostId, labels }: Narrowing): string {
  const sorted = Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([hostId?.toLowerCase() ?? null, sorted]);
}

/** For people: `host 0198…, labels team=a, site=b`. */
export function narrowingText({ hostId, labels }: Narrowing): string {
  const pairs = Object.entries(labels ?? {}).map(([name, value]) => `${name}=${value}`);
  return [hostId === null ? '' : `host ${hostId}`, pairs.length > 0 ? `labels ${pairs.join(', ')}` : '']
    .filter((part) => part !== '')
    .join(', ');
}

function labelled([name, value]: [string, string]): FactsFilter {
  const path = `${hostPathRoot}.labels.${withoutNul(name)}`;
  const tests = [{ op: 'eq' as const, value: toComparable('text', value) }];
  return ofHost({ kind: 'value', path, column: 'text', tests });
}

/** A narrowing to nothing would be none at all: whoever made it meant something else. */
function checked(narrowing: Narrowing): Narrowing {
  if (narrowing.hostId === null && Object.keys(narrowing.labels ?? {}).length === 0)
    throw new Error('a narrowing names a host or labels');
  return narrowing;
}
