/**
 * main: the command `os-inspector-api`. Reads the environment, wires the parts, handles signals.
 */
import { parseArgs } from 'node:util';
import { type Logger, pino } from 'pino';
import { messageOf } from '../plugins/message-of.ts';
import { openBucket } from './bucket/open-bucket.ts';
import { openHttpListener } from './http-listener.ts';
import { openSqliteIndex } from './index/sqlite-index.ts';
import { type Known, loadPlugins } from './load-plugins.ts';
import { rebuild } from './rebuild.ts';
import { graphqlEndpoint } from './server.ts';
import { openService } from './service.ts';
import { type ApiSettings, readSettings } from './settings.ts';

const usage = `usage: os-inspector-api [serve | rebuild]

  serve     answers GraphQL at http://HOST:PORT${graphqlEndpoint} (the default)
  rebuild   drops the index and builds it from the bucket; stop the server first

Settings, from the environment:
  HOST        address to listen on                       127.0.0.1
  PORT        port to listen on; 0 takes any free one    4000
  BUCKET_URL  file:./folder or s3://bucket/prefix?region=…&endpoint=…&forcePathStyle=true
                                                         file:./data/bucket
  INDEX_URL   sqlite:./file                              sqlite:./data/index.db
  PLUGINS     plugin files and packages beside the built-in ones, separated by commas
`;

/** Longer than requests under way are waited for. */
const stopWithinMs = 20_000;

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
    return await (command === 'serve' ? serve : runRebuild)(read.settings, known);
  } catch (cause) {
    process.stderr.write(`os-inspector-api: ${messageOf(cause)}\n`);
    return 1;
  }
}

function parseCommand(args: string[]): 'serve' | 'rebuild' | 'help' | null {
  try {
    const { values, positionals } = parseArgs({
      args,
      options: { help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
    });
    const [command = 'serve', ...more] = positionals;
    if (values.help) return 'help';
    if (more.length === 0 && (command === 'serve' || command === 'rebuild')) return command;
    throw new Error(`unknown command ${JSON.stringify(positionals.join(' '))}`);
  } catch (cause) {
    process.stderr.write(`os-inspector-api: ${messageOf(cause)}\n\n${usage}`);
    return null;
  }
}

async function serve(settings: ApiSettings, { plugins, schema }: Known): Promise<number> {
  const logger = pino();
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.abort(signal));
  const stopped = new Promise((resolve) => stopping.signal.addEventListener('abort', resolve));
  stopped.then(() => setTimeout(() => giveUp(logger), stopWithinMs).unref());
  const listener = await openHttpListener(settings.host, settings.port);
  try {
    const bucket = await openBucket(settings.bucket);
    const service = await openService({
      bucket,
      index: openSqliteIndex({
        file: settings.indexFile,
        bucket: bucket.location,
        plugins,
        onDiscard: (reason) => logger.warn({ reason }, 'index file was not usable and is built anew'),
      }),
      schema,
      plugins,
      logger,
      signal: stopping.signal,
    });
    listener.answerWith(service.server);
    logger.info({ url: `${listener.origin}${graphqlEndpoint}` }, 'listening');
    await stopped;
    logger.info({ signal: stopping.signal.reason }, 'stopping');
    if (!(await listener.close())) logger.warn('requests under way were cut off');
    await service.close();
    logger.info('stopped');
    return 0;
  } catch (cause) {
    await listener.close();
    // Told to stop while it was still starting: nothing was under way.
    if (stopping.signal.aborted) return 0;
    throw cause;
  }
}

/** Something hangs: whatever is not acknowledged by now is sent again by its agent. */
function giveUp(logger: Logger): void {
  logger.error('could not stop in time, and ends now');
  process.exit(1);
}

async function runRebuild(settings: ApiSettings, { plugins }: Known): Promise<number> {
  const bucket = await openBucket(settings.bucket);
  const { segments, reports, corrupt } = await rebuild({
    bucket,
    file: settings.indexFile,
    plugins,
    write: (text) => process.stdout.write(text),
  });
  bucket.close();
  process.stdout.write(
    `rebuilt ${settings.indexFile} from ${bucket.location}: ${segments} segments, ${reports} reports\n`,
  );
  for (const failure of corrupt) process.stderr.write(`os-inspector-api: ${failure.message}\n`);
  return corrupt.length > 0 ? 1 : 0;
}
