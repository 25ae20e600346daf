/** token: the commands that make, list and revoke credentials, in the bucket itself: with or without a server. */
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { parseDuration } from '../../plugins/duration.ts';
import { type Credentials, type Listed, openCredentials } from '../auth/credentials.ts';
import { toDraft } from '../auth/draft.ts';
import { readLastUses } from '../auth/last-use.ts';
import type { Bucket } from '../bucket/bucket.ts';
import type { BucketSettings } from '../bucket/open-bucket.ts';
import { openBucket } from '../bucket/open-bucket.ts';
import { Failure } from '../failure.ts';

export const tokenUsage = `usage: os-inspector-api token create --name NAME (--scope SCOPES | --enrol [--uses N])
                                     [--host UUID] [--label NAME=VALUE …] [--expires 90d] [--json]
       os-inspector-api token list [--json]
       os-inspector-api token revoke ID …

  create   makes a token, and prints its secret this once: nobody can show it again
           SCOPES, separated by commas: submit (send reports), read (ask for them), admin (all of it, and tokens)
           --enrol makes an enrolment secret instead: with it agents get a credential for their own host
           --host and --label narrow it: nothing else exists for whoever has it
  list     shows all there are, without their secrets
  revoke   ends credentials; servers refuse them within seconds

They work on the bucket of BUCKET_URL.
`;

const options = {
  name: { type: 'string' },
  scope: { type: 'string', multiple: true },
  host: { type: 'string' },
  label: { type: 'string', multiple: true },
  expires: { type: 'string' },
  enrol: { type: 'boolean' },
  uses: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

type Values = ReturnType<typeof parse>['values'];

/** @returns the exit code: 0 done, 1 failed, 2 the command line is wrong */
export async function runToken(args: string[], settings: BucketSettings): Promise<number> {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (cause) {
    return wrong((cause as Error).message);
  }
  const { values, positionals } = parsed;
  if (values.help) {
    process.stdout.write(tokenUsage);
    return 0;
  }
  const [action, ...ids] = positionals;
  if (action !== 'revoke' && ids.length > 0) return wrong(`what is ${JSON.stringify(ids.join(' '))}?`);
  const bucket = await openBucket(settings);
  try {
    const logger = pino({ level: 'warn' }, pino.destination(2));
    const credentials = openCredentials({ bucket, logger });
    await credentials.load();
    switch (action) {
      case 'create':
        return await create(credentials, values);
      case 'list':
        return await list(credentials, bucket, values.json ?? false);
      case 'revoke':
        return await revoke(credentials, ids);
      default:
        return wrong(action === undefined ? 'say create, list or revoke' : `no command token ${action}`);
    }
  } catch (cause) {
    if (cause instanceof Failure && cause.kind === 'INVALID') return wrong(cause.message);
    throw cause;
  } finally {
    bucket.close();
  }
}

function parse(args: string[]) {
  return parseArgs({ args, options, allowPositionals: true });
}

async function create(credentials: Credentials, values: Values): Promise<number> {
  const {
    name = '',
    scope = [],
    host = null,
    label = [],
    expires,
    enrol = false,
    uses,
    json = false,
  } = values;
  const now = Date.now();
  const draft = toDraft(
    {
      name,
      kind: enrol ? 'enrolment' : 'token',
      scopes: scope
        .flatMap((text) => text.split(','))
        .map((text) => text.trim())
        .filter(Boolean),
      hostId: host,
      labels: label.length > 0 ? Object.fromEntries(label.map(toPair)) : null,
      expiresAt: expires === undefined ? null : now + toMs(expires),
      uses: uses === undefined ? null : Number(uses),
      createdBy: null,
    },
    now,
  );
  const { credential, secret } = await credentials.create(draft);
  if (json) {
    process.stdout.write(`${JSON.stringify({ id: credential.id, secret })}\n`);
    return 0;
  }
  // The secret alone on standard output, so that a script can take it from there.
  process.stderr.write(
    `${describe({ credential, state: 'valid', enrolled: 0 })}\nIts secret is shown this once:\n`,
  );
  process.stdout.write(`${secret}\n`);
  return 0;
}

async function list(credentials: Credentials, bucket: Bucket, isJson: boolean): Promise<number> {
  const used = await readLastUses(bucket);
  const all = credentials.list();
  if (isJson) {
    const rows = all.map(({ credential: { hash: _, ...credential }, state, enrolled }) => ({
      ...credential,
      createdAt: toText(credential.createdAt),
      expiresAt: toText(credential.expiresAt),
      state,
      enrolled,
      lastUsedAt: toText(used.get(credential.id) ?? null),
    }));
    process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
    return 0;
  }
  if (all.length === 0) {
    process.stdout.write(
      'there are no tokens: "os-inspector-api token create --help" says how to make one\n',
    );
    return 0;
  }
  const head = ['ID', 'NAME', 'KIND', 'MAY', 'STATE', 'CREATED', 'EXPIRES', 'LAST USED'];
  const rows = all.map(({ credential, state, enrolled }) => [
    credential.id,
    credential.name,
    credential.kind,
    mayText({ credential, enrolled }),
    state,
    toDay(credential.createdAt) ?? '',
    toDay(credential.expiresAt) ?? 'never',
    toDay(used.get(credential.id) ?? null) ?? '',
  ]);
  process.stdout.write(columns([head, ...rows]));
  return 0;
}

async function revoke(credentials: Credentials, ids: string[]): Promise<number> {
  if (ids.length === 0) return wrong('say which: the ids are in "os-inspector-api token list"');
  let isComplete = true;
  for (const id of ids) {
    const isDone = await credentials.revoke(id.toLowerCase(), null);
    isComplete &&= isDone;
    const [stream, text] = isDone
      ? [process.stdout, `revoked ${id}: servers refuse it within seconds\n`]
      : [process.stderr, `os-inspector-api: there is no token ${id}: see "os-inspector-api token list"\n`];
    stream.write(text);
  }
  return isComplete ? 0 : 1;
}

function toPair(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new Failure('INVALID', `--label must be NAME=VALUE, not ${JSON.stringify(text)}`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function toMs(text: string): number {
  const ms = parseDuration(text);
  if (!ms)
    throw new Failure(
      'INVALID',
      `--expires must be a length of time such as 90d, not ${JSON.stringify(text)}`,
    );
  return ms;
}

function describe(listed: Listed): string {
  const { id, name, expiresAt } = listed.credential;
  const until = expiresAt === null ? 'for ever' : `until ${toDay(expiresAt)}`;
  return `made ${id} (${name}): may ${mayText(listed)}, ${until}.`;
}

function mayText({ credential, enrolled }: Pick<Listed, 'credential' | 'enrolled'>): string {
  const { kind, scopes, narrowedTo, uses } = credential;
  const may =
    kind === 'enrolment'
      ? `enrol ${uses === null ? 'any number of' : `${enrolled} of ${uses}`} hosts`
      : scopes.join(',');
  const labels = Object.entries(narrowedTo?.labels ?? {}).map(([name, value]) => `${name}=${value}`);
  const places = [narrowedTo?.hostId ? `host ${narrowedTo.hostId}` : '', ...labels].filter(Boolean);
  return places.length > 0 ? `${may} for ${places.join(', ')}` : may;
}

function toText(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

function toDay(ms: number | null): string | null {
  return toText(ms)?.replace('T', ' ').slice(0, 16) ?? null;
}

function columns(rows: string[][]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

function wrong(message: string): number {
  process.stderr.write(`os-inspector-api: ${message}\n\n${tokenUsage}`);
  return 2;
}
