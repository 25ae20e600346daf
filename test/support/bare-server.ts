/** bare-server: the HTTP interface over any schema, without stores behind it. */
import type { GraphQLSchema } from 'graphql';
import { pino } from 'pino';
import { openGate } from '../../api/auth/gate.ts';
import type { Services } from '../../api/context.ts';
import { makeLimits, noLimits } from '../../api/limits/limits.ts';
import { makeMetrics } from '../../api/operations/metrics.ts';
import { createServer, everything, type ServerOptions } from '../../api/server.ts';

export function serverOf(schema: GraphQLSchema, options: Partial<ServerOptions> = {}) {
  const limits = makeLimits(noLimits);
  const services = { limits, now: Date.now } as unknown as Services;
  const exports = { answer: () => Promise.reject(new Error('none')), running: () => 0, close() {} };
  const logger = pino({ enabled: false });
  const open = { metrics: makeMetrics(), gate: openGate, offered: everything, checkReady: async () => ({}) };
  return createServer({ schema, services, exports, logger, ...open, ...options });
}
