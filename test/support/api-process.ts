/** api-process: the API as a real process on a free port. */
import type { Answer } from './api.ts';
import { type Command, node, type Running, start } from './process.ts';

export type ApiProcess = Running & {
  /** Where GraphQL is answered. */
  url: string;
  // biome-ignore lint/suspicious/noExplicitAny: the shape is the query's, which tests write as text
  ask(query: string, variables?: Record<string, unknown>): Promise<any>;
};

/** Starts it with its stores in a folder; resolves once it answers. */
export async function startApi(folder: string, { env, ...command }: Command = {}): Promise<ApiProcess> {
  const stores = { BUCKET_URL: `file:${folder}/bucket`, INDEX_URL: `sqlite:${folder}/index.db` };
  const running = start(node, ['api/main.ts'], {
    ...command,
    env: { HOST: '', PORT: '0', ...stores, ...env },
  });
  const [, url = ''] = await running.waitFor(/"url":"([^"]+)".*"msg":"listening"/);
  return { ...running, url, ask: (query, variables) => ask(url, query, variables) };
}

/** An answer with its errors. */
export async function answerOf(
  url: string,
  query: string,
  variables?: Record<string, unknown>,
  signal: AbortSignal | null = null,
): Promise<Answer> {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ query, variables });
  const response = await fetch(url, { method: 'POST', headers, body, signal });
  return (await response.json()) as Answer;
}

/** The data of an answer that must have no errors. */
export async function ask(url: string, query: string, variables?: Record<string, unknown>) {
  const { data, errors } = await answerOf(url, query, variables);
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

/** What `/ready` answers: its status, and its body. */
export async function readinessOf(url: string): Promise<[number, unknown]> {
  const response = await fetch(new URL('/ready', url));
  return [response.status, await response.json()];
}

/** The ids of all reports, page by page; each as often as it was listed. */
export async function reportIdsOf(url: string): Promise<string[]> {
  const query = `query ($after: String) {
    reports(first: 1000, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } }
  }`;
  const ids: string[] = [];
  for (let after: string | null = null, more = true; more; ) {
    const { reports } = await ask(url, query, { after });
    ids.push(...reports.nodes.map(({ id }: { id: string }) => id));
    more = reports.pageInfo.hasNextPage;
    after = reports.pageInfo.endCursor;
  }
  return ids;
}
