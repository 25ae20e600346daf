/** narrowed-services: the services as they are for who asks: the index and what comes into it, narrowed to what is theirs. */
import type { Services } from '../context.ts';
import type { Live } from '../live/live.ts';
import type { Narrowing } from './identity.ts';
import { narrowedIndex } from './narrowed-reader.ts';
import { narrowingKey } from './narrowing.ts';

/** @param narrowing null for the whole fleet */
export function narrowedServices(services: Services, narrowing: Narrowing | null): Services {
  if (narrowing === null) return services;
  return {
    ...services,
    index: narrowedIndex(services.index, narrowing),
    live: narrowedLive(services.live, narrowing),
  };
}

/** The same question has another answer for who is narrowed otherwise, so they do not share it. */
function narrowedLive(live: Live, narrowing: Narrowing): Live {
  return {
    ...live,
    subscribe: (question) =>
      live.subscribe({ ...question, key: JSON.stringify([narrowingKey(narrowing), question.key]) }),
  };
}
