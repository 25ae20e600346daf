/**
 * config-schema: what the config file may hold, declared once.
 *
 * The agent's settings, their defaults, the hints and `agent.config.schema.json` derive from it.
 */
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { durationPattern, parseDuration } from '../plugins/duration.ts';
import { builtinPluginNames } from '../plugins/index.ts';
import { secretReference } from '../plugins/secret.ts';
import { blockedPorts } from './blocked-ports.ts';
import { byteSizePattern, parseByteSize } from './byte-size.ts';
import { logFormats, logLevels } from './daemon-log.ts';
import { parseListenAddress } from './listen-address.ts';

const durationHint = 'must be a length of time such as "60s", "5m", "1h" or "500ms", or a number of seconds';
const urlHint = 'must be the address of the API, such as "http://127.0.0.1:4000/graphql"';
const pluginHint =
  'must be a name such as "cpu", a file such as "./plugins/rack.ts", or an object with "use"';

/** A timer counts milliseconds in 31 bits, about 24 days, and fires at once beyond. */
const longestInterval = '7d';

const byteSizeHint = 'must be an amount of bytes such as "64MiB" or "500kB", or a number of bytes';

/** A number with its unit, or a number of the usual one; between two bounds. */
const quantityOf =
  (pattern: RegExp, parse: (value: string | number) => number | null, hint: string) =>
  (least: string, most: string) => {
    const [min, max] = [parse(least) ?? 0, parse(most) ?? 0];
    return z
      .union([z.string().regex(pattern, hint), z.number().positive(hint)], { error: hint })
      .transform((value) => parse(value) ?? 0)
      .refine((value) => value >= min, `must be at least ${least}`)
      .refine((value) => value <= max, `must be at most ${most}`);
  };
const duration = quantityOf(durationPattern, parseDuration, durationHint);
const byteSize = quantityOf(byteSizePattern, parseByteSize, byteSizeHint);

const url = z.string({ error: urlHint }).superRefine((value, ctx) => {
  const message = urlProblem(value);
  if (message) ctx.addIssue({ code: 'custom', message });
});

const pluginTimeout = duration('1ms', '1h');
export const defaultTimeout = '10s';

const sizeHint = 'must be a size such as "64MiB" or "1GiB"';
/** What Node, zod and the eraser of types take is 20 MiB. */
const leastMemoryMiB = 32;

const memory = z
  .string(sizeHint)
  .regex(/^\d+(?:MiB|GiB)$/, sizeHint)
  .transform((size) => Number.parseInt(size, 10) * 2 ** (size.endsWith('GiB') ? 30 : 20))
  .refine((bytes) => bytes >= leastMemoryMiB * 2 ** 20, `must be at least ${leastMemoryMiB}MiB`)
  .refine((bytes) => bytes <= 64 * 2 ** 30, 'must be at most 64GiB');

/** The API refuses more than this, and it is better to learn that before the first report. */
const labels = z
  .record(
    z.string().min(1).max(128),
    z.string('must be text: put it in quotation marks').max(1_024, 'must be at most 1024 characters'),
    {
      error: ({ code }) =>
        code === 'invalid_key'
          ? 'a name must have from 1 to 128 characters'
          : 'must be an object that maps names to text',
    },
  )
  .refine((all) => Object.keys(all).length <= 64, 'must be at most 64');

export const pluginEntry = z.union(
  [
    z.enum(builtinPluginNames),
    z.string().min(1, pluginHint).describe('A file (relative to this one) or an installed package.'),
    z.strictObject({
      use: z
        .union([z.enum([...builtinPluginNames, 'exec']), z.string().min(1, pluginHint)], {
          error: pluginHint,
        })
        .describe(
          'A built-in name, a file (relative to this one) or an installed package; "exec" runs a command.',
        ),
      name: z.string().optional().describe('With "exec": the name that its facts are reported under.'),
      timeout: pluginTimeout
        .optional()
        .describe('Time that this plugin has; by default that of all plugins.'),
      interval: duration('1s', '31d')
        .optional()
        .describe(
          'How long what this plugin collected holds; by default what the plugin says, else not at all.',
        ),
      memory: memory
        .optional()
        .describe(
          'Memory that a plugin of your own may take, 128MiB by default; built-in ones have no limit.',
        ),
      options: z
        .record(z.string(), z.unknown(), { error: 'must be an object' })
        .default({})
        .describe('Handed to the plugin, which says what it takes.'),
    }),
  ],
  { error: pluginHint },
);

const redactHint =
  'must be the path of a fact or reading, such as "network.interfaces.mac", "user.*" or "packages"';

const redactPath = z
  .string(redactHint)
  .regex(/^[A-Za-z][\w-]*(?:\.[A-Za-z_][\w-]*)*(?:\.\*)?$/, redactHint)
  .describe('Through lists without an index; with ".*" at its end or a plugin alone, all that is in it.');

const pemFile = (what: string) =>
  z
    .string()
    .refine(isAbsolute, 'must be an absolute path')
    .describe(`Absolute path of a PEM file with ${what}`);

const listenHint = 'must be an address and a port, such as "127.0.0.1:9115" or "[::1]:9115"';

/** The config file. */
export const configSchema = z
  .strictObject(
    {
      $schema: z.string().optional().describe('Address of this schema, for editors.'),
      api: z
        .strictObject(
          {
            url: url.describe('GraphQL endpoint of the API. No default; OS_INSPECTOR_URL takes precedence.'),
            token: secretReference
              .optional()
              .describe('Where the bearer token for the API is. OS_INSPECTOR_TOKEN takes precedence.'),
            enrolment: secretReference
              .optional()
              .describe(
                'Where the enrolment secret is, by which this host gets credentials of its own. OS_INSPECTOR_ENROLMENT takes precedence; a token comes before both.',
              ),
            ca: pemFile('authorities to trust beside the usual ones.').optional(),
            clientCert: pemFile(
              'the certificate that the agent shows, and those it was issued by.',
            ).optional(),
            clientKey: pemFile('the private key of clientCert, without a passphrase.').optional(),
          },
          { error: 'must be an object with "url"' },
        )
        .optional()
        .describe('Where reports go.'),
      interval: duration('1s', longestInterval).prefault('60s').describe('Time from one report to the next.'),
      timeout: pluginTimeout.prefault(defaultTimeout).describe('Time that each plugin has to collect.'),
      labels: labels
        .default({})
        .describe('Free names and values that reports carry and questions filter by.'),
      redact: z
        .array(redactPath, { error: 'must be a list of paths' })
        .default([])
        .describe('Facts and readings that never leave this host: they are null in reports.'),
      spool: z
        .strictObject(
          {
            maxSize: byteSize('1MiB', '1024GiB')
              .prefault('64MiB')
              .describe('Disk space for reports that wait; the oldest are dropped for new ones.'),
            maxAge: duration('1m', '365d')
              .prefault('7d')
              .describe('How old a report becomes before it is dropped.'),
          },
          { error: 'must be an object with "maxSize" and "maxAge"' },
        )
        .prefault({})
        .describe('What is kept on the disk while the API does not take it.'),
      log: z
        .strictObject(
          {
            format: z
              .enum(logFormats, 'must be "json" or "pretty"')
              .optional()
              .describe('json is an object a line; by default pretty on a terminal, and json elsewhere.'),
            level: z
              .enum(logLevels, 'must be "info", "warn" or "error"')
              .default('info')
              .describe('What is less than this is left out.'),
          },
          { error: 'must be an object with "format" and "level"' },
        )
        .prefault({})
        .describe('What the daemon writes to standard output.'),
      metrics: z
        .strictObject(
          {
            listen: z
              .string({ error: listenHint })
              .refine((text) => parseListenAddress(text) !== null, listenHint)
              .describe(
                'Address and port at which the daemon answers GET /metrics in the format of Prometheus.',
              ),
          },
          { error: 'must be an object with "listen"' },
        )
        .optional()
        .describe('Metrics of the agent itself; off unless this is set.'),
      plugins: z
        .array(pluginEntry, { error: 'must be a list of plugins' })
        .prefault([...builtinPluginNames])
        .describe('What to collect, in the order of the report.'),
    },
    { error: 'must be an object' },
  )
  .meta({ title: 'os-inspector agent', description: 'Configuration of the os-inspector agent.' });

export function urlProblem(text: string): string | null {
  if (!/^https?:\/\//i.test(text)) return 'must begin with http:// or https://';
  if (!URL.canParse(text)) return urlHint;
  const { username, password, port } = new URL(text);
  if (username || password) return 'must not hold a user or password: use api.token instead';
  return portProblem(port);
}

export function portProblem(port: string): string | null {
  if (port === '' || !blockedPorts.has(Number(port))) return null;
  return `port ${port} is one that fetch refuses, as another protocol lives there: have the API listen on another`;
}
