/**
 * start: `npm start`, the whole of os-inspector on one machine: the API, and this host's agent.
 *
 * Runs the two real commands as they run anywhere else, reads their logs, and shows the first report.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

type LogLine = { level?: number; msg?: string } & Record<string, unknown>;

const orphanCheckMs = 1_000;
/** pino's number for warnings. */
const warnLevel = 40;

const firstReport = /* GraphQL */ `
  query FirstReport($id: UUID!) {
    report(id: $id) {
      id
      collectedAt
      host { id name }
      os { distribution version kernel }
      cpu { model threads }
      network { primaryAddress }
      user { name }
      results { plugin status durationMs }
    }
  }
`;

process.exitCode = await main();

/** @returns the exit code: that of the part that ended by itself, or 0 when both were told to stop */
async function main(): Promise<number> {
  const children: ChildProcess[] = [];
  let stopping = false;
  const stop = () => {
    stopping = true;
    // The agent first, so that it does not meet an API that is gone.
    for (const child of [...children].reverse()) child.kill('SIGTERM');
  };
  // Ctrl-C reaches the whole group, and npm passes it on once more: all but the first are the same wish.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  // npm ends at a SIGTERM of its own without passing it on: without it nobody wants us to run.
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && stop(), orphanCheckMs).unref();

  const api = runPart('api/main.ts', [], {}, children);
  const ended = [exitOf(api.child)];
  const listening = await Promise.race([api.waitFor('listening'), ended[0]]);
  if (typeof listening === 'number' || stopping) return stopping ? 0 : Number(listening);
  const url = String(listening?.url);

  const agent = runPart(
    'agent/main.ts',
    ['run', '--state', 'data/agent'],
    { OS_INSPECTOR_URL: url },
    children,
  );
  ended.push(exitOf(agent.child));
  const either = Promise.race(ended);
  const submitted = await Promise.race([agent.waitFor('report submitted'), either]);
  if (typeof submitted === 'object') {
    show(await ask(url, { id: submitted.reportId }), url);
  }
  const code = (await either) ?? 1;
  const asked = stopping;
  stop();
  await Promise.all(ended);
  return asked ? 0 : code;
}

/** Starts one of the two commands; warnings and errors of its log are shown as they come. */
function runPart(file: string, args: string[], env: Record<string, string>, children: ChildProcess[]) {
  const path = fileURLToPath(new URL(`../${file}`, import.meta.url));
  const child = spawn(process.execPath, [path, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const waiting = new Map<string, (line: LogLine) => void>();
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = parseLine(text);
    if ((line.level ?? 0) >= warnLevel) process.stderr.write(`${text}\n`);
    waiting.get(line.msg ?? '')?.(line);
  });
  return {
    child,
    /** The first log line with this message. */
    waitFor: (message: string) => new Promise<LogLine>((resolve) => waiting.set(message, resolve)),
  };
}

async function exitOf(child: ChildProcess): Promise<number> {
  const [code] = await once(child, 'exit');
  return code ?? 1;
}

function parseLine(text: string): LogLine {
  try {
    return JSON.parse(text);
  } catch {
    // Not of the log: shown as it is.
    return { level: warnLevel };
  }
}

async function ask(url: string, variables: Record<string, unknown>): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: firstReport, variables }),
  });
  const { data, errors } = (await response.json()) as { data?: { report: unknown }; errors?: unknown };
  return data?.report ?? errors;
}

function show(report: unknown, url: string): void {
  process.stdout.write(`
The first report of this host:

${JSON.stringify(report, null, 2)}

GraphiQL: ${url}
Reports:  every minute unless an agent config says otherwise, kept in ./data unless BUCKET_URL does
Stop:     Ctrl-C
`);
}
