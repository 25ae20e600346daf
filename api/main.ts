/**
 * main: the command `os-inspector-api`. Reads the environment, wires the parts, handles signals.
 */
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { type Logger, pino } from 'pino';
import { messageOf } from '../plugins/message-of.ts';
import { openBucket } from './bucket/open-bucket.ts';
import type { Failure } from './failure.ts';
import { openHttpListener } from './http-listener.ts';
import { openIndex, openRebuild } from './index/open-index.ts';
import { type Known, loadPlugins } from './load-plugins.ts';
import { compact } from './log/compact.ts';
import { makeProgressBar } from './progress-bar.ts';
import { rebuildIndex } from './rebuild.ts';
import { graphqlEndpoint } from './server.ts';
import { openService } from './service.ts';
import { type ApiSettings, readSettings } from './settings.ts';

const usage = `usage: os-inspector-api [serve | rebuild | compact]

  serve     answers GraphQL at http://HOST:PORT${graphqlEndpoint} (the default)
  rebuild   builds the index anew from the bucket; a server that runs answers from the old one until then
  compact   merges the small segments of past hours; safe beside servers, and at any time

Settings, from the environment:
  HOST           address to listen on                       127.0.0.1
  PORT           port to listen on; 0 takes any free one    4000
  BUCKET_URL     file:./folder or s3://bucket/prefix?region=…&endpoint=…&forcePathStyle=true
                                                            file:./data/bucket
  INDEX_URL      sqlite:./file or postgres://user:password@host/database
                                                            sqlite:./data/index.db
  COMMIT_LINGER  how long reports gather before they are put, under load
                                                            10ms
  RETENTION      how long the index keeps reports, such as 90d; the bucket keeps them for ever
  QUERY_TIMEOUT  how long a query may take, then its work is ended
                                                            30s
  OPERATION_LIMIT  operations of one identity, such as 100/s or 5000/m; off for any number
                                                            600000/m
  REPORT_LIMIT   reports of one identity                    600000/m
  ADDRESS_LIMIT  requests from one address                  600000/m
  MAX_IN_FLIGHT  requests worked on at once; others are told to come again later
                                                            1000
  PLUGINS        plugin files and packages beside the built-in ones, separated by commas
`;

const commands = { serve, rebuild: runRebuild, compact: runCompact };
type Command = keyof typeof commands;

/** Longer than requests under way are waited for. */
const stopWithinMs = 20_000;

// By default the heap grows to several times of what is in use before V8 looks for garbage. With this it takes two
// thirds of the memory, and at a load that one process can just bear a tenth more CPU.
setFlagsFromString('--heap-growing-percent=60');

process.exitCode = await main(process.argv.slice(2));

/** @returns the exit code: 0 done, 1 failed, 2 the command line or a setting is wrong */
async function main(args: string[]): Promise<number> {
  const command = parseCommand(args);
  if (command === null) return 2;
  if (command === 'help') {
    process.stdout.write(usage);
    return 0;
  }
  const read = readSettings(process.env, process.cwd());
  if ('problems' in read) {
    const lines = read.problems.map(({ setting, message }) => `  ${setting}: ${message}\n`);
    process.stderr.write(`os-inspector-api: these settings cannot be used:\n${lines.join('')}`);
    return 2;
  }
  const known = await loadPlugins(read.settings.plugins, process.cwd());
  if ('problems' in known) {
    const lines = known.problems.map((problem) => `  PLUGINS: ${problem}\n`);
    process.stderr.write(`os-inspector-api: these plugins cannot be used:\n${lines.join('')}`);
    return 2;
  }
  try {
    return await commands[command](read.settings, known);
  } catch (cause) {
    process.stderr.write(`os-inspector-api: ${messageOf(cause)}\n`);
    return 1;
  }
}

function parseCommand(args: string[]): Command | 'help' | null {
  try {
    const { values, positionals } = parseArgs({
      args,
      options: { help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
    });
    const [command = 'serve', ...more] = positionals;
    if (values.help) return 'help';
    if (more.length === 0 && Object.hasOwn(commands, command)) return command as Command;
    throw new Error(`unknown command ${JSON.stringify(positionals.join(' '))}`);
  } catch (cause) {
    process.stderr.write(`os-inspector-api: ${messageOf(cause)}\n\n${usage}`);
    return null;
  }
}

/** Aborted by the first signal that asks the process to stop. */
function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.abort(signal));
  return stopping.signal;
}

async function serve(settings: ApiSettings, { plugins, schema }: Known): Promise<number> {
  const logger = pino();
  const signal = stopSignal();
  const stopped = new Promise((resolve) => signal.addEventListener('abort', resolve));
  stopped.then(() => setTimeout(() => giveUp(logger), stopWithinMs).unref());
  const listener = await openHttpListener(settings.host, settings.port);
  try {
    const bucket = await openBucket(settings.bucket);
    const service = await openService({
      bucket,
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
    });
    listener.answerWith(service.listener);
    logger.info({ url: `${listener.origin}${graphqlEndpoint}` }, 'listening');
    await stopped;
    logger.info({ signal: signal.reason }, 'stopping');
    await service.endSubscriptions();
    if (!(await listener.close())) logger.warn('requests under way were cut off');
    await service.close();
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

async function runRebuild(settings: ApiSettings, { plugins }: Known): Promise<number> {
  const signal = stopSignal();
  const bucket = await openBucket(settings.bucket);
  const bar = makeProgressBar(process.stderr);
  try {
    const rebuild = await openRebuild({ settings: settings.index, bucket: bucket.location, plugins });
    const { segments, reports, corrupt } = await rebuildIndex({
      bucket,
      rebuild,
      retentionMs: settings.retentionMs,
      onProgress: bar.update,
      signal,
    });
    bar.stop();
    process.stdout.write(
      `rebuilt the index from ${bucket.location}: ${segments} segments, ${reports} reports\n`,
    );
    return reportCorrupt(corrupt);
  } catch (cause) {
    bar.stop();
    if (!signal.aborted) throw cause;
    process.stderr.write('os-inspector-api: stopped; the next rebuild goes on from here\n');
    return 1;
  } finally {
    bucket.close();
  }
}

async function runCompact(settings: ApiSettings): Promise<number> {
  const signal = stopSignal();
  const bucket = await openBucket(settings.bucket);
  const corrupt: Failure[] = [];
  try {
    const { merged, written, bytesBefore, bytesAfter } = await compact({
      bucket,
      now: Date.now,
      signal,
      onCorrupt: (failure) => corrupt.push(failure),
    });
    process.stdout.write(
      `compacted ${bucket.location}: ${merged} segments became ${written}, ${bytesBefore} bytes ${bytesAfter}\n`,
    );
    return reportCorrupt(corrupt);
  } catch (cause) {
    if (!signal.aborted) throw cause;
    process.stderr.write('os-inspector-api: stopped; what was merged until now stays\n');
    return 1;
  } finally {
    bucket.close();
  }
}

/** Names what could not be read. @returns the exit code */
function reportCorrupt(corrupt: readonly Failure[]): number {
  for (const failure of corrupt) process.stderr.write(`os-inspector-api: set aside: ${failure.message}\n`);
  return corrupt.length > 0 ? 1 : 0;
}
