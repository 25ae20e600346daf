/**
 * query-model-filter: whether a report or a host passes a filter, as it was sent to GraphQL.
 *
 * Part of the model of what queries answer: shares no code with the API.
 */
import type { StoredResult } from '../../api/log/stored-report.ts';
import type { Fact, Facts, ListElement } from '../../plugins/fact.ts';
import { type Change, changesOf, sameJson } from './query-model-changes.ts';
import {
  compareAt,
  isSingle,
  isToldAt,
  type Known,
  knownFacts,
  placeOf,
  valuesAt,
} from './query-model-facts.ts';
import { device } from './query-model-plugin.ts';
import { compareOf, passes, type Tests } from './query-model-values.ts';
import { type HostThen, hostThen, statusOf, type Told, type World } from './query-model-world.ts';

export type Filter = Record<string, unknown>;

/** What reports and hosts have in common to a filter. */
type Subject = {
  own: Told['own'];
  /** Of the report, or of the host's newest. */
  results: readonly StoredResult[];
  /** As sent; null where the plugin told none. */
  factsOf(plugin: string): unknown;
  field(name: string, given: unknown): boolean;
};

export function reportPasses(world: World, report: Told, filter: Filter): boolean {
  const times: Record<string, number> = { collectedAt: report.collectedAt, receivedAt: report.receivedAt };
  return holds(filter, {
    own: report.own,
    results: report.results,
    factsOf: (plugin) => report.results.find((result) => result.plugin === plugin)?.facts ?? null,
    field(name, given) {
      if (name === 'id') return passes('text', report.id, given as Tests);
      if (name === 'host') return passes('text', report.host, given as Tests);
      if (name === 'hostName') {
        return passes('text', hostThen(world, report.host, null)?.own.name ?? null, given as Tests);
      }
      return passes('instant', toIso(times[name]), given as Tests);
    },
  });
}

export function hostPasses(world: World, host: HostThen, filter: Filter): boolean {
  const times: Record<string, number> = { firstSeenAt: host.firstSeenAt, lastSeenAt: host.lastSeenAt };
  return holds(filter, {
    own: host.own,
    results: host.newest.results,
    factsOf: (plugin) => host.plugins.get(plugin)?.facts ?? null,
    field(name, given) {
      if (name === 'id') return passes('text', host.id, given as Tests);
      if (name === 'name') return passes('text', host.own.name, given as Tests);
      if (name === 'status') return (given as string[]).includes(statusOf(world, host));
      if (name !== 'changedSince') return passes('instant', toIso(times[name]), given as Tests);
      const since = Date.parse(String(given));
      return changesOf(world, host.id).some(
        ({ at, initial }) => !initial && at >= since && at <= (host.asOf ?? Number.POSITIVE_INFINITY),
      );
    },
  });
}

export function changePasses(world: World, change: Change, filter: Filter): boolean {
  const host = hostThen(world, change.host, null);
  if (change.initial && filter.initial !== true) return false;
  // All facts of a plugin are a value only to whoever names the plugin.
  const isAsked = change.path !== change.plugin || 'plugin' in filter || 'path' in filter;
  return Object.entries(filter).every(([name, given]) => {
    switch (name) {
      case 'initial':
        return true;
      case 'host':
        return passes('text', change.host, given as Tests);
      case 'hosts':
        return host !== null && hostPasses(world, host, given as Filter);
      case 'plugin':
        return change.plugin === given;
      case 'path':
        return change.path === given || change.path.startsWith(`${given}.`);
      case 'between': {
        const { start, end } = given as { start?: string; end?: string };
        return (!start || change.at >= Date.parse(start)) && (!end || change.at < Date.parse(end));
      }
      case 'from':
        return isAsked && sameJson(change.before, given);
      default:
        return isAsked && sameJson(change.after, given);
    }
  });
}

function toIso(time: number | undefined): string {
  if (time === undefined) throw new Error('the model does not know this field');
  return new Date(time).toISOString();
}

function holds(filter: Filter, subject: Subject): boolean {
  return Object.entries(filter).every(([name, given]) => {
    switch (name) {
      case 'and':
        return (given as Filter[]).every((part) => holds(part, subject));
      case 'or':
        return (given as Filter[]).some((part) => holds(part, subject));
      case 'not':
        return !holds(given as Filter, subject);
      case 'label': {
        const { name: label, ...tests } = given as Tests;
        const value = subject.own.labels[String(label)] ?? null;
        return passes('text', value, Object.keys(tests).length > 0 ? tests : { isNull: false });
      }
      case 'result':
        return subject.results.some((result) => resultPasses(result, given as Filter));
      case 'fact':
        return factPasses(subject, given as Tests);
      case device.name: {
        const sent = subject.factsOf(name);
        return sent !== null && recordPasses(device.facts, knownFacts(device.facts, sent), given as Filter);
      }
      default:
        return subject.field(name, given);
    }
  });
}

function resultPasses(result: StoredResult, { plugin, status, error }: Filter): boolean {
  if (result.plugin !== plugin) return false;
  if (status && !(status as string[]).includes(result.status)) return false;
  return passes('text', result.error, (error ?? {}) as Tests);
}

function factPasses({ own, factsOf }: Subject, { path, ...tests }: Tests): boolean {
  const at = String(path);
  const { plugin } = placeOf(at);
  const sent = plugin === 'host' ? own : factsOf(plugin);
  if (sent === null) return false;
  const compare = compareAt(at);
  const values = valuesAt(at, sent);
  if (compare) {
    if (tests.isNull === true) return Object.keys(tests).length === 1 && values.length === 0;
    return values.some((value) => passes(compare, value, tests));
  }
  const { isNull, ...others } = tests;
  if (isNull !== undefined && isToldAt(at, sent) === isNull) return false;
  const asked = Object.entries(others).filter(([name]) => name !== 'ignoreCase');
  if (asked.length === 0) return isNull !== undefined || isToldAt(at, sent);
  const [argument] = asked.flatMap(([, value]) => value);
  // Nothing is among no values, and every text is not.
  if (argument === undefined) {
    return values.some((value) => typeof value === 'string' && passes('text', value, others));
  }
  const kind = typeof argument === 'string' ? 'text' : (typeof argument as 'number' | 'boolean');
  return values.some((value) => typeof value === typeof argument && passes(kind, value, others));
}

function recordPasses(facts: Facts, known: Known, filter: Filter): boolean {
  return Object.entries(filter).every(([name, given]) => {
    if (name === 'and') return (given as Filter[]).every((part) => recordPasses(facts, known, part));
    if (name === 'or') return (given as Filter[]).some((part) => recordPasses(facts, known, part));
    if (name === 'not') return !recordPasses(facts, known, given as Filter);
    const fact = facts[name] as Fact;
    if (fact.kind !== 'list') return passes(compareOf[fact.kind] ?? 'text', known[name], given as Tests);
    return listPasses(fact.of, known[name] as unknown[] | null, given as Filter);
  });
}

function listPasses(of: ListElement, list: readonly unknown[] | null, filter: Filter): boolean {
  return Object.entries(filter).every(([name, given]) => {
    if (name === 'isNull') return (list === null) === given;
    if (name === 'length') return passes('number', list?.length ?? null, given as Tests);
    if (list === null) return false;
    const element = (value: unknown) =>
      isSingle(of)
        ? passes(compareOf[of.kind] ?? 'text', value, given as Tests)
        : recordPasses(of, value as Known, given as Filter);
    if (name === 'some') return list.some(element);
    return name === 'every' ? list.every(element) : !list.some(element);
  });
}
