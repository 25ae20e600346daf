/** serve: the command that answers, from the first moment of the process to the last. */
import { type Logger, pino } from 'pino';
import { openBucket } from '../bucket/open-bucket.ts';
import { openIndex } from '../index/open-index.ts';
import type { Known } from '../load-plugins.ts';
import { type Tracing, traceFields } from '../operations/tracing.ts';
import { graphqlEndpoint } from '../server.ts';
import { openService } from '../service.ts';
import type { ApiSettings } from '../settings.ts';
import { makeCertificateOf } from '../transport/client-certificate.ts';
import { openHttpListener } from '../transport/http-listener.ts';
import { openTlsFiles } from '../transport/tls-files.ts';
import { stopSignal } from './stop-signal.ts';

/** Longer than requests under way are waited for. */
const stopWithinMs = 20_000;

export async function serve(settings: ApiSettings, { plugins, schema }: Known): Promise<number> {
  let tracing: Tracing | null = null;
  const logger = pino({ mixin: () => traceFields(tracing) });
  if (settings.tracing) {
    const { openTracing } = await import('../operations/open-tracing.ts');
    tracing = openTracing({ settings: settings.tracing, logger });
  }
  const signal = stopSignal();
  const stopped = new Promise((resolve) => signal.addEventListener('abort', resolve));
  stopped.then(() => setTimeout(() => giveUp(logger), stopWithinMs).unref());
  const { tls, auth } = settings;
  const tlsFiles = tls && (await openTlsFiles(tls, (options) => listener.changeTls(options), logger));
  const listener = await openHttpListener({
    ...settings,
    tls: tlsFiles && { options: tlsFiles.current(), asksForCertificate: tls?.clientCaFile !== null },
  });
  if (tlsFiles) process.on('SIGHUP', () => tlsFiles.reload());
  try {
    const bucket = await openBucket(settings.bucket);
    const { graphiql, introspection, pythonRoutes } = settings;
    const service = await openService({
      bucket,
      authentication: {
        isRequired: auth === 'required',
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
      tracing,
    });
    listener.answerWith(service.server);
    logger.info({ url: `${listener.origin}${graphqlEndpoint}` }, 'listening');
    await stopped;
    logger.info({ signal: signal.reason }, 'stopping');
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
