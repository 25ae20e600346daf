/**
 * container-engines: asks the engines of containers on a host what they are and what they keep.
 *
 * Podman answers the same API as Docker. What an engine is gets asked once for each of its versions, since to tell it
 * Docker itself starts programs.
 */
import type { CollectContext } from '../plugin.ts';
import { type Container, type Engine, isUnhealthy, toContainers, toEngine } from './engine-answers.ts';
import { once } from './once.ts';
import { type HostSocket, openSocket } from './unix-socket.ts';

type Options = { sockets: readonly string[] };
type Told = { engine: Engine; containers: Container[]; unhealthy: number };

/**
 * Null when no engine listens.
 *
 * @throws Error when one of them does not answer as it should: part of the containers would look like all
 */
export async function collectContainers({ root, signal, options, cache }: CollectContext<Options>) {
  const told: Told[] = [];
  const asked = new Set<string>();
  for (const path of options.sockets) {
    const socket = await openSocket(root, path, signal);
    if (socket === null || asked.has(socket.id)) continue;
    asked.add(socket.id);
    const answer = await ask(socket, path, cache);
    if (answer) told.push(answer);
  }
  if (told.length === 0) return null;
  const containers = told.flatMap(({ containers }) => containers);
  const count = (state: string) => containers.filter((container) => container.state === state).length;
  const [total, running, paused] = [containers.length, count('running'), count('paused')];
  return {
    engines: told.map(({ engine }) => engine),
    containers,
    total,
    running,
    paused,
    stopped: total - running - paused,
    unhealthy: told.reduce((sum, { unhealthy }) => sum + unhealthy, 0),
  };
}

async function ask(socket: HostSocket, path: string, cache: Map<string, unknown>): Promise<Told | null> {
  const [version, listed] = await Promise.all([
    socket.get('/version'),
    socket.get('/containers/json?all=true'),
  ]);
  if (version === null && listed === null) return null;
  if (!Array.isArray(listed)) throw new Error(`${path} gives no list of containers: is it Docker or Podman?`);
  const info = await once(cache, path, () => socket.get('/info'), JSON.stringify(version));
  return {
    engine: toEngine(path, version, info),
    containers: toContainers(path, listed),
    unhealthy: listed.filter(isUnhealthy).length,
  };
}
