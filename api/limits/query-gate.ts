/**
 * query-gate: how many queries run at once. Reports come first: they are lost to nobody who waits, but a host that cannot
 * deliver fills its disk, and a query can be asked again.
 */
import { type ExecutionArgs, GraphQLError, getOperationAST, OperationTypeNode } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { InFlight } from './in-flight.ts';

/** Of all that is worked on: the index has two threads for lists, and every other query only waits for them. */
const shareOfQueries = 1 / 32;
/** Of all that may be worked on: from there on few queries run. */
const shareOfBusy = 1 / 2;
/** So that whoever looks what is going on sees something at any time. */
const fewQueries = 4;

export function useQueryGate(inFlight: InFlight): Plugin {
  const { maxInFlight } = inFlight.settings;
  let running = 0;
  const most = () =>
    inFlight.working() > maxInFlight * shareOfBusy
      ? fewQueries
      : Math.max(fewQueries, Math.floor(maxInFlight * shareOfQueries));
  return {
    onExecute({ executeFn, setExecuteFn }) {
      // Around the execution itself: it may be stopped before it begins, and fail in the middle.
      setExecuteFn(async (args: ExecutionArgs) => {
        const operation = getOperationAST(args.document, args.operationName)?.operation;
        if (operation !== OperationTypeNode.QUERY) return executeFn(args);
        if (running >= most()) return { errors: [busy(running, inFlight.retryAfterSeconds())] };
        running += 1;
        try {
          return await executeFn(args);
        } finally {
          running -= 1;
        }
      });
    },
  };
}

function busy(running: number, retryAfter: number): GraphQLError {
  const message = `the API is busy with ${running} other queries: ask again in ${retryAfter} s`;
  const http = { status: 503, headers: { 'retry-after': String(retryAfter) } };
  return new GraphQLError(message, { extensions: { code: 'UNAVAILABLE', retryAfter, http } });
}
