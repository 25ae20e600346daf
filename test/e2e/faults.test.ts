/**
 * Agents whose reports go through a network that loses, delays and cuts, and whose processes, like the API's, are killed
 * at random moments: in the end the bucket has each report that was ever spooled, once.
 *
 * `FAULT_ROUNDS` kills more (8 by default), `FAULT_SEED` otherwise.
 */
import { watch } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hostWith, plugins } from '../support/agent-host.ts';
import { runAgent, startAgent } from '../support/agent-process.ts';
import { type ApiProcess, reportIdsOf, startApi } from '../support/api-process.ts';
import { whenFileIsDone } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { startFaultyProxy } from '../support/faulty-proxy.ts';
import { seededRandom } from '../support/noise.ts';
import type { Running } from '../support/process.ts';
import { readStoredIn } from '../support/stored.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const agents = 3;
const rounds = Number(process.env.FAULT_ROUNDS || 8);
const seed = Number(process.env.FAULT_SEED || 1);
/** Of `once` under faults, before the network is well again. */
const drainsUnderFaults = 4;

type Host = { cwd: string; spool: string; agent: Running | null };

/** A host whose spool is watched: every report that is ever in it is added to `spooled`. */
async function startHost(url: string, spooled: Set<string>): Promise<Host> {
  const cwd = await hostWith({ api: { url }, interval: '1s', plugins });
  const spool = join(cwd, 'state/spool');
  await mkdir(spool, { recursive: true });
  const watcher = watch(spool, (_event, name) => {
    if (name?.endsWith('.report')) spooled.add(name.slice(0, -'.report'.length));
  });
  whenFileIsDone(async () => watcher.close());
  return { cwd, spool, agent: startAgent(['run'], { cwd }) };
}

async function waitingIn({ spool }: Host): Promise<string[]> {
  return (await readdir(spool)).filter((name) => name.endsWith('.report'));
}

async function kill(running: Running | null, signal: NodeJS.Signals): Promise<void> {
  running?.child.kill(signal);
  await running?.exit;
}

test('each report that was spooled is in the bucket once, whatever is lost or killed on the way', async () => {
  const random = seededRandom(seed);
  const upTo = (most: number) => Math.floor(random() * most);
  const folder = await temporaryFolder();
  const spooled = new Set<string>();
  const proxy = await startFaultyProxy(random, 0.5);
  let api: ApiProcess | null = await startApi(folder);
  proxy.sendTo(api.url);
  const hosts = await Promise.all(Array.from({ length: agents }, () => startHost(proxy.url, spooled)));
  const killed = { agent: 0, api: 0, once: 0 };
  const moreReports = async (count: number) => {
    const wanted = spooled.size + count;
    await eventually(`${wanted} reports were spooled`, () => spooled.size >= wanted, { everyMs: 1 });
  };

  for (let round = 0; round < rounds; round += 1) {
    await moreReports(1 + upTo(6));
    if (round % 3 === 1) {
      await kill(api, 'SIGKILL');
      killed.api += 1;
      // In some rounds agents go on for a while without.
      if (random() < 0.5) await moreReports(upTo(6));
      api = await startApi(folder);
      proxy.sendTo(api.url);
    } else {
      const host = hosts[upTo(agents)] as Host;
      await kill(host.agent, 'SIGKILL');
      killed.agent += 1;
      host.agent = startAgent(['run'], { cwd: host.cwd });
    }
  }
  await Promise.all(hosts.map(({ agent }) => kill(agent, 'SIGTERM')));
  const left = (await Promise.all(hosts.map(waitingIn))).flat().length;

  // What is left is brought by `once`, which is killed as well.
  for (let drain = 0; drain < drainsUnderFaults; drain += 1) {
    const { cwd } = hosts[drain % agents] as Host;
    const before = spooled.size;
    const once = startAgent(['once'], { cwd });
    await eventually('it spooled its report', () => spooled.size > before, { everyMs: 1 });
    if (drain % 2 === 0) {
      await kill(once, 'SIGKILL');
      killed.once += 1;
    }
    await once.exit;
  }
  proxy.heal();
  await Promise.all(
    hosts.map((host) =>
      eventually('the spool is empty', async () => {
        if (!/^success/.test((await runAgent(['once'], { cwd: host.cwd })).stdout)) return false;
        return (await waitingIn(host)).length === 0;
      }),
    ),
  );

  const ids = await reportIdsOf(api.url);
  await kill(api, 'SIGTERM');
  const stored = await readStoredIn(`${folder}/bucket`);
  const copies = [...stored.values()].flat().length;
  console.info(
    `seed ${seed}: ${spooled.size} reports, ${left} left in spools at the end, ${copies} copies in the bucket;`,
    `killed ${JSON.stringify(killed)}; requests ${JSON.stringify(proxy.counts)}, ${proxy.unanswered()} of them while there was no API`,
  );
  expect([...stored.keys()].toSorted()).toEqual([...spooled].toSorted());
  expect(ids.toSorted()).toEqual([...spooled].toSorted());
  for (const [fate, count] of Object.entries(proxy.counts)) expect(count, fate).toBeGreaterThan(0);
}, 600_000);
