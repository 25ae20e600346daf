/** What comes in is told to each who listens as far as it is theirs, though they ask the same. */
import { describe, expect, test } from 'vitest';
import { type Answer, dataOf, openTestApi, submitMutation, type TestApi } from '../../test/support/api.ts';
import { eventually } from '../../test/support/eventually.ts';
import { describeIf } from '../../test/support/needs.ts';
import { hasPostgres, postgresNeeded, startPostgres } from '../../test/support/postgres.ts';
import { hostId, result } from '../../test/support/reports.ts';
import { everyone, type Identity, type Narrowing } from './identity.ts';

const narrowed = (narrowedTo: Narrowing): Identity => ({ ...everyone, kind: 'token', narrowedTo });
const teamA = narrowed({ hostId: null, labels: { team: 'a', site: 'x' } });
/** The same, told in another order by another token. */
const alsoTeamA = narrowed({ hostId: null, labels: { site: 'x', team: 'a' } });
const teamB = narrowed({ hostId: null, labels: { team: 'b' } });
const host1 = narrowed({ hostId: hostId(1), labels: null });

const reports =
  'subscription { reportSubmitted { os { kernel } host { name labels reports(first: 1) { nodes { id } } } } }';
const changes =
  'subscription { factsChanged(filter: { path: "os.kernel" }) { after host { name } report { id } } }';

/** What somebody is told, as it comes. */
async function listen(api: TestApi, who: Identity, query: string): Promise<Answer[]> {
  const { body } = await api.as(who).fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ query }),
  });
  const answers: Answer[] = [];
  const read = async () => {
    let text = '';
    for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      const events = text.split('\n\n');
      text = events.pop() ?? '';
      for (const event of events) {
        const [, data] = /^event: next\ndata: (.*)$/s.exec(event) ?? [];
        if (data) answers.push(JSON.parse(data));
      }
    }
  };
  read().catch(() => {});
  return answers;
}

describe('on SQLite', () => describeNews(async () => ({})));
describeIf(hasPostgres(), postgresNeeded, 'on PostgreSQL', () =>
  describeNews(async () => ({ postgres: await (await startPostgres()).createDatabase() })),
);

function describeNews(options: () => Promise<{ postgres?: string }>): void {
  test('reports and changes of the hosts that are theirs', async () => {
    const api = await openTestApi(await options());
    let turn = 0;
    const send = (host: number, team: string) => {
      turn += 1;
      const input = {
        host: { id: hostId(host), name: `web-${host}`, labels: { team, site: 'x' } },
        collectedAt: new Date(Date.now() - 60_000 + turn * 1000),
        results: [result('os', { kernel: `6.1.${turn}` })],
      };
      return dataOf(api.ask(submitMutation, { input }));
    };
    // What a host tells first changes nothing.
    for (const [host, team] of [
      [1, 'a'],
      [2, 'a'],
      [3, 'b'],
    ] as const)
      await send(host, team);
    const listeners = [everyone, teamA, alsoTeamA, teamB, host1];
    const told = await Promise.all(listeners.map((who) => listen(api, who, reports)));
    const changed = await Promise.all(listeners.map((who) => listen(api, who, changes)));
    const expectTold = (...expected: number[][]) =>
      eventually('each is told what is theirs', () => {
        const kernels = expected.map((own) => own.map((kernel) => `6.1.${kernel}`));
        expect(told.map((answers) => answers.map(kernelOf))).toEqual(kernels);
        expect(changed.map((answers) => answers.map(afterOf))).toEqual(kernels);
        return true;
      });
    await send(1, 'a');
    await send(3, 'b');
    await send(2, 'a');
    await expectTold([4, 5, 6], [4, 6], [4, 6], [5], [4]);
    // Goes over from one to the other.
    await send(2, 'b');
    await send(3, 'b');
    await send(1, 'a');
    await expectTold([4, 5, 6, 7, 8, 9], [4, 6, 9], [4, 6, 9], [5, 7, 8], [4, 9]);
    // What each was told goes no further either.
    const seenByA = JSON.stringify([told[1], changed[1]]);
    expect(seenByA).not.toMatch(/"team":"b"|web-3/);
  });
}

const kernelOf = ({ data, errors }: Answer) => errors ?? data.reportSubmitted.os.kernel;
const afterOf = ({ data, errors }: Answer) => errors ?? data.factsChanged.after;
