/** api-process: the API as a real process on a free port. */
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

/** The data of an answer that must have no errors. */
export async function ask(url: string, query: string, variables?: Record<string, unknown>) {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
  const { data, errors } = (await response.json()) as { data?: unknown; errors?: unknown };
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}
