import { existsSync } from 'node:fs';
import { hostname, release } from 'node:os';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exampleQueries } from '../../api/example-queries.ts';
import { runAgent } from '../support/agent-process.ts';
import { type ApiProcess, startApi } from '../support/api-process.ts';
import { describeIf } from '../support/needs.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  existsSync,
);
const needed = 'needs a browser, the Debian package chromium';

let api: ApiProcess;

beforeAll(async () => {
  const folder = await temporaryFolder();
  api = await startApi(folder);
  const once = await runAgent(['once'], { cwd: folder, env: { OS_INSPECTOR_URL: api.url } });
  expect(once).toMatchObject({ code: 0, stdout: 'success\n' });
});

test('every example query of the page works', async () => {
  expect(exampleQueries.length).toBeGreaterThan(2);
  for (const query of exampleQueries) {
    const data = await api.ask(query);
    const [found] = Object.values<{ nodes?: unknown[] } | unknown[]>(data);
    expect(Array.isArray(found) ? found : found?.nodes, query).not.toHaveLength(0);
  }
});

test('the page is sent compressed, once, and holds all of its scripts', async () => {
  const headers = { accept: 'text/html', 'accept-encoding': 'gzip' };
  const first = await fetch(api.url, { headers });
  expect(first.headers.get('content-encoding')).toBe('gzip');
  expect(first.headers.get('content-type')).toContain('text/html');
  const html = await first.text();
  // Scripts and styles that the page would load, as opposed to links in its texts.
  expect(html.match(/<(script|link)[^>]+(src|href)=["']?(?!data:)[^"'> ]+/g)).toBeNull();
  const etag = first.headers.get('etag') ?? '';
  expect((await fetch(api.url, { headers: { ...headers, 'if-none-match': etag } })).status).toBe(304);
  const plain = await fetch(api.url, { headers: { accept: 'text/html', 'accept-encoding': 'identity' } });
  expect(plain.headers.get('content-encoding')).toBeNull();
  expect(await plain.text()).toBe(html);
});

describeIf(executablePath !== undefined, needed, 'in chromium, with no internet', () => {
  let browser: Browser;
  let page: Page;
  const outside: string[] = [];
  const errors: string[] = [];

  beforeAll(async () => {
    browser = await chromium.launch({
      ...(executablePath ? { executablePath } : {}),
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--disable-background-networking',
        '--disable-sync',
      ],
    });
    const context = await browser.newContext({
      viewport: { width: 1440, height: 900 },
      colorScheme: 'light',
    });
    page = await context.newPage();
    const { origin } = new URL(api.url);
    await page.route('**/*', (route) => {
      const url = route.request().url();
      if (url.startsWith(origin) || /^(blob|data):/.test(url)) return route.continue();
      outside.push(url);
      return route.abort();
    });
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
    await page.goto(api.url);
  });

  afterAll(() => browser?.close());

  test('opens with the example queries, and running the first one shows this host', async () => {
    await page.getByText('query NewestReport').first().waitFor();
    for (const name of ['NewestReport', 'Hosts', 'OldKernels', 'Plugins']) {
      expect(await page.getByRole('tab', { name }).count(), name).toBe(1);
    }
    await page.getByRole('button', { name: /execute query/i }).click();
    const result = page.locator('.result-window');
    await result.getByText(release()).waitFor();
    expect(await result.textContent()).toContain(hostname());
    // The keyword is a word of its own once the editor has coloured the query.
    await page
      .locator('.view-line span span', { hasText: /^query$/ })
      .first()
      .waitFor();
    if (process.env.UPDATE_SCREENSHOT) await page.screenshot({ path: process.env.UPDATE_SCREENSHOT });
  });

  test('a click on another tab shows it at once, and the page may be loaded again', async () => {
    const fresh = await browser.newPage();
    await fresh.goto(api.url);
    const tab = fresh.getByRole('tab', { name: 'Plugins' });
    await tab.waitFor();
    // Where the tab is drawn first, as a person clicks, not where it has come to rest.
    const box = await tab.boundingBox();
    await fresh.mouse.click((box?.x ?? 0) + (box?.width ?? 0) / 2, (box?.y ?? 0) + (box?.height ?? 0) / 2);
    await fresh.getByText('query Plugins').first().waitFor();
    // GraphiQL shows the text before it knows the operation in it; then it writes the query into the address.
    await fresh.waitForURL(/query=.*Plugins/s);
    await fresh.getByRole('button', { name: /execute query/i }).click();
    await fresh.locator('.result-window').getByText('Processor identity').first().waitFor();
    await fresh.reload();
    await fresh.getByRole('tab', { name: 'Plugins' }).waitFor();
    await fresh.close();
  });

  test('its documentation shows what the plugins declare', async () => {
    await page.getByRole('button', { name: /show documentation explorer/i }).click();
    await page.getByRole('link', { name: 'Query' }).or(page.getByText('Query').first()).first().waitFor();
    expect(await page.locator('.graphiql-doc-explorer').textContent()).toContain('Query');
  });

  test('asks no other host for anything, and has no errors', () => {
    expect(outside).toEqual([]);
    expect(errors).toEqual([]);
  });
});
