/** host-facts: facts by their hash, as one host told them; those of another host are not there, whoever knows their hash. */
import { inChunks } from './chunks.ts';
import type { Database } from './database.ts';
import { textOfFacts } from './facts-text.ts';
import { hostNumbers } from './host-list.ts';
import type { HostFactSet } from './index-store.ts';

/** In the order of the questions: the facts as JSON text; null where this host told none of this hash. */
export async function readHostFacts(
  database: Database,
  asked: readonly HostFactSet[],
): Promise<(string | null)[]> {
  const { query } = database;
  const hosts = await hostNumbers(database, [...new Set(asked.map(({ hostId }) => hostId))]);
  if (hosts.size === 0) return asked.map(() => null);
  const factSets = await inChunks(new Set(asked.map(({ hash }) => hash)), (part) =>
    query.selectFrom('fact_sets').select(['id', 'hash']).where('hash', 'in', part).execute(),
  );
  const numberOf = new Map(factSets.map(({ id, hash }) => [hash, id]));
  const told = await inChunks(hosts.values(), (part) =>
    inChunks(numberOf.values(), (among) =>
      query
        .selectFrom('host_fact_sets')
        .select(['host', 'fact_set'])
        .where('host', 'in', part)
        .where('fact_set', 'in', among)
        .execute(),
    ),
  );
  const pairs = new Set(told.map(({ host, fact_set }) => `${host} ${fact_set}`));
  const bodies = await inChunks(new Set(told.map(({ fact_set }) => fact_set)), (part) =>
    query.selectFrom('fact_sets').select(['id', 'facts', 'packed']).where('id', 'in', part).execute(),
  );
  const factsOf = new Map(bodies.map((row) => [row.id, textOfFacts(row)]));
  return asked.map(({ hostId, hash }) => {
    const [host, factSet] = [hosts.get(hostId), numberOf.get(hash)];
    if (host === undefined || factSet === undefined || !pairs.has(`${host} ${factSet}`)) return null;
    return factsOf.get(factSet) ?? null;
  });
}
