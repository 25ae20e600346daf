/** serve: the command that answers, from the first moment of the process to the last. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { openBucket } from '../bucket/open-bucket.ts';
import { openIndex } from '../index/open-index.ts';
import type { Known } from '../load-plugins.ts';
import { openApiLog } from '../operations/api-log.ts';
import { makeMetrics } from '../operations/metrics.ts';
import { withRequestId } from '../operations/request-id.ts';
import { type Tracing, traceFields } from '../operations/tracing.ts';
import { graphqlEndpoint } from '../server.ts';
import { openService } from '../service.ts';
import type { ApiSettings } from '../settings.ts';
import { makeCertificateOf } from '../transport/client-certificate.ts';
import { openHttpListener } from '../transport/http-listener.ts';
import { openTlsFiles } from '../transport/tls-files.ts';
import { stopSignal } from './stop-signal.ts';

export async function serve(settings: ApiSettings, { plugins, schema }: Known): Promise<number> {
  let tracing: Tracing | null = null;
  const logger = openApiLog(settings.logLevel, { fields: () => traceFields(tracing) });
  endWithBugs(logger);
  if (settings.tracing) {
    const { openTracing } = await import('../operations/open-tracing.ts');
    tracing = openTracing({ settings: settings.tracing, logger });
  }
  const signal = stopSignal();
  const stopped = new Promise((resolve) => signal.addEventListener('abort', resolve));
  stopped.then(() => setTimeout(() => giveUp(logger), settings.stopTimeoutMs).unref());
  const { tls, auth } = settings;
  const metrics = makeMetrics();
  const tlsFiles = tls && (await openTlsFiles(tls, (...change) => listener.changeTls(...change), logger));
  const listener = await openHttpListener({
    ...settings,
    tls: tlsFiles && {
      options: tlsFiles.current(),
      asksForCertificate: tls?.clientCaFile !== null,
      onRefusedCertificates: (reason, connections) => {
        logger.warn({ reason, connections }, 'certificates of clients are refused');
        metrics.refused('credentials', connections);
      },
    },
  });
  if (tlsFiles) process.on('SIGHUP', () => tlsFiles.reload());
  try {
    const bucket = await openBucket(settings.bucket);
    const { graphiql, introspection, pythonRoutes } = settings;
    metrics.watchSocket({
      refusedConnections: listener.refusedConnections,
      certificateExpiresAt: tlsFiles ? tlsFiles.expiresAt : null,
    });
    const service = await openService({
      metrics,
      bucket,
      authentication: {
        isRequired: auth === 'required',
        verifyJwt:
          settings.oidc &&
          (await import('../auth/jwt.ts')).makeVerifyJwt({ settings: settings.oidc, logger }),
        certificateOf: makeCertificateOf(tls?.clientScopes ?? []),
      },
      offered: { graphiql, introspection, pythonRoutes },
      index: await openIndex({
        settings: settings.index,
        bucket: bucket.location,
        plugins,
        onWarning: (message, details) => logger.warn(details, message),
      }),
      schema,
      plugins,
      logger,
      signal,
      commitLingerMs: settings.commitLingerMs,
      retentionMs: settings.retentionMs,
      queryTimeoutMs: settings.queryTimeoutMs,
      limits: settings,
      maxInFlight: settings.maxInFlight,
      tracing,
    });
    listener.answerWith(withRequestId(service.listener));
    logger.info({ url: `${listener.origin}${graphqlEndpoint}` }, 'listening');
    await stopped;
    logger.info({ signal: signal.reason }, 'stopping');
    service.leave();
    await delay(settings.stopDelayMs);
    await service.endSubscriptions();
    if (!(await listener.close())) logger.warn('requests under way were cut off');
    await service.close();
    tlsFiles?.close();
    await tracing?.close();
    logger.info('stopped');
    return 0;
  } catch (cause) {
    await listener.close();
    // Told to stop while it was still starting: nothing was under way.
    if (signal.aborted) return 0;
    throw cause;
  }
}

/** Something hangs: whatever is not acknowledged by now is sent again by its agent. */
function giveUp(logger: Logger): void {
  logger.error('could not stop in time, and ends now');
  process.exit(1);
}

/** After one that nobody has thought of nothing is sure any more; agents send again what is not acknowledged. */
function endWithBugs(logger: Logger): void {
  const end = (cause: unknown) => {
    logger.fatal({ err: cause }, 'a bug of ours: the process ends');
    process.exit(1);
  };
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
}
