/**
 * once: keeps an answer that is dear and does not change in a plugin's cache.
 */

type Kept<T> = { key: string; value: T };

/**
 * Returns what `ask` said the last time it was asked with this key; a new key asks again and replaces
 * the old answer. A failure is not kept.
 *
 * @param name what the answer is called in the cache
 * @param key what the answer depends on; leave it out for what holds as long as the agent runs
 */
export async function once<T>(
  cache: Map<string, unknown>,
  name: string,
  ask: () => Promise<T>,
  key = '',
): Promise<T> {
  const kept = cache.get(name) as Kept<T> | undefined;
  if (kept?.key === key) return kept.value;
  const value = await ask();
  cache.set(name, { key, value } satisfies Kept<T>);
  return value;
}
