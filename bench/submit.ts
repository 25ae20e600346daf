/**
 * submit: how many reports a second one API process takes, each acknowledged only once it is durable.
 *
 * Beside it in the same run, under the same load: a bare HTTP server that parses JSON, and a GraphQL
 * Yoga mutation that does nothing: the limits of the protocol and of the library we build on.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { median } from './median.ts';

const connections = 32;
const reportsPerRun = 3_000;
const runs = 3;

const mutation =
  'mutation ($input: SubmitReportInput!) { submitReport(input: $input) { duplicate report { id } } }';

/** Servers to measure; each prints its URL in its first line of JSON that has one. */
const servers = [
  { name: 'bare node:http with JSON.parse', file: 'bench/servers/bare-http.ts' },
  { name: 'GraphQL Yoga, a mutation that does nothing', file: 'bench/servers/empty-yoga.ts' },
  { name: 'os-inspector, durable in a folder', file: 'api/main.ts' },
] as const;

export async function benchSubmit(): Promise<void> {
  const rates = new Map<string, number[]>(servers.map(({ name }) => [name, []]));
  for (let run = 0; run < runs; run += 1) {
    // In turn, so that a machine that slows down slows all of them.
    for (const { name, file } of servers) rates.get(name)?.push(await measure(file));
  }
  const ours = median(rates.get(servers[2].name) ?? []);
  console.log(
    `\nSubmitting a ${body().length} byte report over ${connections} connections, median of ${runs} runs`,
  );
  for (const [name, values] of rates) {
    const rate = median(values);
    console.log(
      `  ${name.padEnd(45)} ${rate.toFixed(0).padStart(7)} /s   ${(ours / rate).toFixed(2)} of it is ours`,
    );
  }
}

async function measure(file: string): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'os-inspector-bench-'));
  const stores = { BUCKET_URL: `file:${folder}/bucket`, INDEX_URL: `sqlite:${folder}/index.db` };
  const child = spawn(process.execPath, [file], {
    env: { ...process.env, ...stores, HOST: '127.0.0.1', PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const url = await urlOf(child);
    await send(url, 300);
    const startedAt = performance.now();
    await send(url, reportsPerRun);
    return reportsPerRun / ((performance.now() - startedAt) / 1000);
  } finally {
    child.kill('SIGTERM');
    await once(child, 'exit');
    await rm(folder, { recursive: true });
  }
}

async function urlOf(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('no output to read');
  for await (const line of createInterface({ input: child.stdout })) {
    const { url } = JSON.parse(line);
    if (url) return url;
  }
  throw new Error('the server ended before it listened');
}

async function send(url: string, count: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  let left = count;
  const sender = async () => {
    while (left > 0) {
      left -= 1;
      await post(url, agent);
    }
  };
  await Promise.all(Array.from({ length: connections }, sender));
  agent.destroy();
}

function post(url: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      { agent, method: 'POST', headers: { 'content-type': 'application/json' } },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => (text.includes('"errors"') ? reject(new Error(text)) : resolve()));
      },
    );
    sent.on('error', reject).end(body());
  });
}

let number = 0;

/** Much like what an agent sends: facts that stay the same, readings that do not. */
function body(): string {
  number += 1;
  const host = number % 500;
  const results = [
    {
      plugin: 'os',
      status: 'OK',
      durationMs: 1.5,
      facts: { platform: 'linux', distribution: 'Debian GNU/Linux', version: '12', kernel: '6.1.0-37-amd64' },
      readings: { uptimeSeconds: number },
    },
    {
      plugin: 'cpu',
      status: 'OK',
      durationMs: 1.5,
      facts: {
        model: 'AMD EPYC 7763',
        vendor: 'AuthenticAMD',
        architecture: 'x86_64',
        sockets: 1,
        cores: 8,
        threads: 16,
      },
      readings: { utilization: (number % 100) / 100, load1: 1.5, load5: 1.25, load15: 1 },
    },
    {
      plugin: 'network',
      status: 'OK',
      durationMs: 1.5,
      facts: {
        primaryAddress: `10.0.${host >> 8}.${host & 255}`,
        interfaces: [{ name: 'eth0', mtu: 1500, addresses: [] }],
      },
    },
  ];
  const id = `0198f3a0-0000-7000-8000-${String(host).padStart(12, '0')}`;
  const input = {
    id: crypto.randomUUID(),
    host: { id, name: `web-${host}` },
    collectedAt: new Date().toISOString(),
    results,
  };
  return JSON.stringify({ query: mutation, variables: { input } });
}

if (import.meta.main) await benchSubmit();
