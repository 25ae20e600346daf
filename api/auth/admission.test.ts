/** Whose reports a narrowed identity may send, and what it learns by sending them. */
import { beforeAll, describe, expect, test } from 'vitest';
import { factSetHash } from '../../plugins/fact-set.ts';
import { dataOf, openTestApi, submitMutation, type TestApi } from '../../test/support/api.ts';
import { pythonReport } from '../../test/support/python-reports.ts';
import { hostId, result } from '../../test/support/reports.ts';
import { readStoredIn } from '../../test/support/stored.ts';
import { Failure } from '../failure.ts';
import { pythonHostId } from '../python-report.ts';
import { openAdmission } from './admission.ts';
import { everyone, type Identity, type Narrowing, type Scope } from './identity.ts';

const narrowed = (narrowedTo: Narrowing, ...scopes: Scope[]): Identity => ({
  ...{ kind: 'token', id: 'narrowed', name: 'narrowed', scopes: new Set(scopes), narrowedTo },
});
const own = { hostId: hostId(1), labels: null };
const team = { hostId: null, labels: { team: 'a', site: 'x' } };
const agent: Identity = { ...narrowed(own, 'submit'), kind: 'host', name: 'agent of web-1' };

const id = (number: number) => `0198f3a0-0000-7000-9000-${String(number).padStart(12, '0')}`;
const secret = { kernel: '6.1.90', hostname: 'only-web-2-knows' };
let turn = 0;

/** A report of a host, newer than the one before. */
function input(host: number, more: Record<string, unknown> = {}, labels: Record<string, string> = {}) {
  turn += 1;
  return {
    host: { id: hostId(host), name: `web-${host}`, labels },
    collectedAt: new Date(Date.parse('2026-05-01T10:00:00Z') + turn * 1000).toISOString(),
    results: [result('os', { kernel: '6.1.0' })],
    ...more,
  };
}

const manyMutation = /* GraphQL */ `
  mutation ($inputs: [SubmitReportInput!]!) {
    submitReports(inputs: $inputs) { payload { duplicate report { id } } error { code message path } }
  }
`;
const labelsOf = async (api: TestApi, host: number) =>
  (await dataOf(api.ask(`{ host(id: "${hostId(host)}") { labels } }`))).host?.labels;
const refusalOf = async (api: Pick<TestApi, 'ask'>, sent: object) => {
  const { data, errors } = await api.ask(submitMutation, { input: sent });
  if (data) return null;
  const { code, path } = errors?.[0]?.extensions ?? { path: [] };
  return [code, (path as string[]).join('.')];
};

describe('narrowed to a host', () => {
  let api: TestApi;
  let asAgent: Pick<TestApi, 'ask' | 'fetch'>;
  beforeAll(async () => {
    api = await openTestApi();
    asAgent = api.as(agent);
    await dataOf(
      api.ask(submitMutation, { input: input(2, { id: id(2), results: [result('os', secret)] }) }),
    );
  });

  test('its own reports are taken, whatever it says of itself', async () => {
    expect(await refusalOf(asAgent, input(1, {}, { team: 'b' }))).toBeNull();
    const { host } = input(1);
    expect(await refusalOf(asAgent, input(1, { host: { ...host, id: hostId(1).toUpperCase() } }))).toBeNull();
  });

  test('those of others are refused, each by itself', async () => {
    expect(await refusalOf(asAgent, input(2))).toEqual(['FORBIDDEN', 'input.host.id']);
    const inputs = [input(1), input(2), input(1), input(3)];
    const { submitReports } = await dataOf(asAgent.ask(manyMutation, { inputs }));
    const codes = submitReports.map(({ error }: { error: { code: string } | null }) => error?.code ?? null);
    expect(codes).toEqual([null, 'FORBIDDEN', null, 'FORBIDDEN']);
    expect(submitReports[1]).toEqual({
      payload: null,
      error: {
        code: 'FORBIDDEN',
        message: `inputs[1].host.id: is of another host, and agent of web-1 may send reports of host ${hostId(1)} only`,
        path: ['inputs', '1', 'host', 'id'],
      },
    });
    expect((await dataOf(api.ask(`{ host(id: "${hostId(3)}") { id } }`))).host).toBeNull();
  });

  test('the id of a report of another host tells nothing of it, and changes nothing', async () => {
    const { data, errors } = await asAgent.ask(submitMutation, { input: input(1, { id: id(2) }) });
    expect([data, errors?.[0]?.extensions]).toEqual([
      null,
      { code: 'BAD_USER_INPUT', path: ['input', 'id'] },
    ]);
    expect(JSON.stringify(errors)).not.toContain(hostId(2));
    expect((await readStoredIn(`${api.folder}/bucket`)).get(id(2))).toHaveLength(1);
    const { report } = await dataOf(api.ask(`{ report(id: "${id(2)}") { host { id } os { hostname } } }`));
    expect(report).toEqual({ host: { id: hostId(2) }, os: { hostname: secret.hostname } });
  });

  test('the hash of facts of another host gives none of them', async () => {
    const hashed = { plugin: 'os', version: 1, status: 'OK', factsHash: factSetHash('os', secret) };
    expect(await refusalOf(asAgent, input(1, { results: [hashed] }))).toEqual([
      'FACTS_UNKNOWN',
      'input.results.0.factsHash',
    ]);
    // Nor does naming that host: whether they are known is not told either.
    for (const factsHash of [hashed.factsHash, factSetHash('os', {})]) {
      expect(await refusalOf(asAgent, input(2, { results: [{ ...hashed, factsHash }] }))).toEqual([
        'FORBIDDEN',
        'input.host.id',
      ]);
    }
  });

  test('to name another host as the one it was cloned from changes nothing there, and tells nothing', async () => {
    const about2 = `{ host(id: "${hostId(2)}") { name clonedFrom reports { totalCount } changes { totalCount } lastSeenAt } }`;
    const before = await api.ask(about2);
    const { host, ...rest } = input(1);
    expect(await refusalOf(asAgent, { ...rest, host: { ...host, clonedFrom: hostId(2) } })).toBeNull();
    expect(await api.ask(about2)).toEqual(before);
    const reader = api.as(narrowed(own, 'read'));
    const { hosts } = await dataOf(reader.ask('{ hosts { totalCount nodes { clonedFrom } } }'));
    expect(hosts).toEqual({ totalCount: 1, nodes: [{ clonedFrom: hostId(2) }] });
    expect((await dataOf(reader.ask(`{ host(id: "${hostId(2)}") { name } }`))).host).toBeNull();
  });

  test('who may read as well reads of that host alone what it gets back', async () => {
    const both = api.as(narrowed(own, 'submit', 'read'));
    const mutation = /* GraphQL */ `
      mutation ($input: SubmitReportInput!) {
        submitReport(input: $input) {
          report { os { kernel } host { id reports(first: 1) { totalCount nodes { host { id } } } changes { nodes { host { id } } } } }
        }
      }
    `;
    const { submitReport } = await dataOf(both.ask(mutation, { input: input(1) }));
    expect(submitReport.report.host.reports.totalCount).toBeGreaterThan(1);
    expect(JSON.stringify(submitReport)).not.toContain(hostId(2));
  });

  test('a Python agent may send of its own address alone', async () => {
    const flat = (ip: string) => ({ ...pythonReport, server_ip: ip });
    const post = (who: Identity, ip: string) =>
      api.as(who).fetch('/report', { method: 'POST', body: JSON.stringify(flat(ip)) });
    const python = narrowed({ hostId: pythonHostId('192.0.2.20'), labels: null }, 'submit', 'read');
    expect((await post(python, '192.0.2.20')).status).toBe(200);
    const refused = await post(python, '192.0.2.21');
    expect([refused.status, await refused.json()]).toEqual([
      403,
      { status: 'error', error: expect.stringMatching(/^host.id: is of another host, and narrowed may/) },
    ]);
    expect((await post(everyone, '192.0.2.21')).status).toBe(200);
    const get = async (ip: string) => (await api.as(python).fetch(`/report?ip=${ip}`)).status;
    expect([await get('192.0.2.20'), await get('192.0.2.21')]).toEqual([200, 404]);
    // They have no labels.
    expect((await post(narrowed(team, 'submit'), '192.0.2.22')).status).toBe(403);
  });
});

describe('narrowed to labels', () => {
  const labels = { team: 'a', site: 'x', rack: '7' };
  const sender = narrowed(team, 'submit', 'read');

  test('reports tell them all, and are of hosts that are new or within', async () => {
    const api = await openTestApi();
    const asTeam = api.as(sender);
    expect(await refusalOf(asTeam, input(1, {}, labels))).toBeNull();
    expect(await refusalOf(asTeam, input(1, {}, labels))).toBeNull();
    for (const lacking of [{}, { team: 'a' }, { ...labels, site: 'y' }, { ...labels, team: 'A' }]) {
      expect(await refusalOf(asTeam, input(1, {}, lacking as never))).toEqual([
        'FORBIDDEN',
        'input.host.labels',
      ]);
    }
    // Of an object that has no such label, but inherits one.
    const inherited = narrowed({ hostId: null, labels: { constructor: 'x' } }, 'submit');
    expect(await refusalOf(api.as(inherited), input(4))).toEqual(['FORBIDDEN', 'input.host.labels']);
  });

  test('a host of others cannot be drawn over, nor what it told be read', async () => {
    const api = await openTestApi();
    const asTeam = api.as(sender);
    await dataOf(
      api.ask(submitMutation, { input: input(2, { results: [result('os', secret)] }, { team: 'b' }) }),
    );
    expect(await refusalOf(asTeam, input(2, {}, labels))).toEqual(['FORBIDDEN', 'input.host.id']);
    const { submitReports } = await dataOf(
      asTeam.ask(manyMutation, { inputs: [input(1, {}, labels), input(2, {}, labels)] }),
    );
    expect(submitReports.map(({ error }: { error: unknown }) => error === null)).toEqual([true, false]);
    expect(await labelsOf(api, 2)).toEqual({ team: 'b' });
    // Whoever may do both can move it, and takes all that it told along.
    await dataOf(api.ask(submitMutation, { input: input(2, {}, labels) }));
    expect(await refusalOf(asTeam, input(2, {}, labels))).toBeNull();
    const about2 = `{ host(id: "${hostId(2)}") { reports { totalCount } } }`;
    expect((await dataOf(asTeam.ask(about2))).host).toEqual({ reports: { totalCount: 3 } });
    await dataOf(api.ask(submitMutation, { input: input(2, {}, { team: 'b' }) }));
    expect((await dataOf(asTeam.ask(about2))).host).toBeNull();
    expect(await refusalOf(asTeam, input(2, {}, labels))).toEqual(['FORBIDDEN', 'input.host.id']);
  });

  test('nothing is taken while it cannot be told whose host it is', async () => {
    const fail = () => Promise.reject(new Failure('UNAVAILABLE', 'no index'));
    const { check } = openAdmission({ index: { hostsById: fail } });
    const host = { id: hostId(1), name: 'web-1', labels };
    await expect(check(sender, host, ['host'])).rejects.toThrow('no index');
    // What needs no index is not kept waiting for it.
    await check(everyone, host, ['host']);
    await check(agent, host, ['host']);
    await expect(check(sender, { ...host, labels: {} }, ['host'])).rejects.toThrow(
      /^host.labels: lacks "team": "a"/,
    );
  });
});
