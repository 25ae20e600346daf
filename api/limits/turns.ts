/** turns: lets so many run at once; the others wait for theirs, in their order. */
export type Turns = {
  take<T>(work: () => Promise<T>): Promise<T>;
};

export function openTurns(most: number): Turns {
  const waiting: (() => void)[] = [];
  let running = 0;
  return {
    async take(work) {
      if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
      else running += 1;
      try {
        return await work();
      } finally {
        // Whoever is next takes the place over.
        const next = waiting.shift();
        if (next) next();
        else running -= 1;
      }
    },
  };
}
