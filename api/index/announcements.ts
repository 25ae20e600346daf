/** announcements: which reports have just come into the index, told to whoever listens in this process. */
import type { Listener, OnReports } from './index-store.ts';

export type Announcements = { tell(ids: readonly string[]): void; onReports: OnReports };

/** Reports received longer ago are history that is caught up with, not news. */
export const newsMs = 10 * 60 * 1000;

export function makeAnnouncements(): Announcements {
  const listeners = new Set<Listener>();
  return {
    tell(ids) {
      if (ids.length === 0) return;
      for (const listener of listeners) listener([...ids]);
    },
    async onReports(listener) {
      // Another function each time: who listens twice is told twice, and stops once.
      const own: Listener = (ids) => listener(ids);
      listeners.add(own);
      return async () => {
        listeners.delete(own);
      };
    },
  };
}
