/**
 * in-flight: what is worked on at this moment, and whether more can be taken.
 *
 * Three things say no: a turn of the event loop that has lasted too long, which is when the processor is what there is too little
 * of; too many requests that wait for the stores; too many bytes of bodies. A body that is still on its way holds no
 * place among the requests: who sends slowly must not keep others out.
 */
import type { IncomingMessage } from 'node:http';
import { openTurn } from './event-loop-turn.ts';

export type InFlightSettings = {
  /** Requests that are worked on; null is any number of them. */
  maxInFlight: number | null;
  /** Bytes of their bodies, unpacked. @default 64 MiB */
  maxBodyBytes?: number;
  /** How long a turn of the event loop may last until no more is begun in it. @default 100 */
  maxTurnMs?: number;
  /** How long this one has lasted. */
  turnMs?: () => number;
  /** From 0 up to 1. @default Math.random */
  random?: () => number;
};

export type InFlight = {
  readonly settings: { maxInFlight: number; maxBodyBytes: number };
  /** Nothing is taken at this moment: whatever comes may be refused without looking at it. */
  isFull(): boolean;
  /** Null where it is to be refused. @param isComplete its body is here, or it has none */
  take(request: IncomingMessage, isComplete: boolean): Flight | null;
  /** That of a request which came by a socket and was taken. @param context as Yoga hands it on */
  of(context: object): Flight | null;
  /** Requests that are worked on. */
  working(): number;
  /** Seconds after which whoever is refused is to come again; others at other times. */
  retryAfterSeconds(): number;
};

export type Flight = {
  /** More of its body has come, or was unpacked. @returns false when there is no room for it */
  grow(bytes: number): boolean;
  /** Its body is here: from now on it is worked on. */
  arrived(): void;
  /** It is answered, or gone. */
  end(): void;
};

export const maxHeldBodyBytes = 64 * 1024 * 1024;

/** A report takes two to four turns, so that it is answered within a second. What blocks the loop for a moment is shorter. */
const defaultMaxTurnMs = 100;

/** Of all that may be worked on: so many are no flood, however long a turn took for something else. */
const shareOfFew = 1 / 8;

/** Bodies that are on their way at once, for each request that is worked on. */
const receivingPerWorking = 4;

/** A flood is over, or the next node there; the spread has them come back apart. */
const leastRetrySeconds = 5;
const spreadSeconds = 10;

export function openInFlight(settings: InFlightSettings): InFlight {
  const { maxBodyBytes = maxHeldBodyBytes, maxTurnMs = defaultMaxTurnMs } = settings;
  const { turnMs = openTurn(), random = Math.random } = settings;
  const maxInFlight = settings.maxInFlight ?? Number.POSITIVE_INFINITY;
  const flights = new WeakMap<IncomingMessage, Flight>();
  let working = 0;
  let receiving = 0;
  let bodyBytes = 0;

  function begin(isComplete: boolean): Flight {
    let state: 'receiving' | 'working' | 'over' = isComplete ? 'working' : 'receiving';
    let ownBytes = 0;
    if (isComplete) working += 1;
    else receiving += 1;
    return {
      grow(bytes) {
        if (state === 'over') return true;
        ownBytes += bytes;
        bodyBytes += bytes;
        // One that is larger than the rest of the room has its turn when nothing else is there.
        return bodyBytes <= maxBodyBytes || bodyBytes === ownBytes;
      },
      arrived() {
        if (state !== 'receiving') return;
        state = 'working';
        receiving -= 1;
        working += 1;
      },
      end() {
        if (state === 'over') return;
        if (state === 'working') working -= 1;
        else receiving -= 1;
        bodyBytes -= ownBytes;
        state = 'over';
      },
    };
  }

  function isFull(): boolean {
    if (working >= maxInFlight || bodyBytes >= maxBodyBytes) return true;
    return turnMs() > maxTurnMs && working + receiving >= maxInFlight * shareOfFew;
  }

  return {
    settings: { maxInFlight, maxBodyBytes },
    isFull,
    take(request, isComplete) {
      const isCrowded = !isComplete && receiving >= receivingPerWorking * maxInFlight;
      if (isCrowded || isFull()) return null;
      const flight = begin(isComplete);
      flights.set(request, flight);
      return flight;
    },
    of(context) {
      const { req } = context as { req?: IncomingMessage };
      return (req && flights.get(req)) ?? null;
    },
    working: () => working,
    retryAfterSeconds: () => leastRetrySeconds + Math.floor(random() * (spreadSeconds + 1)),
  };
}
