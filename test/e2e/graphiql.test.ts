import { existsSync } from 'node:fs';
import { hostname, release } from 'node:os';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exampleQueries } from '../../api/example-queries.ts';
import { runAgent } from '../support/agent-process.ts';
import { type ApiProcess, startApi } from '../support/api-process.ts';
import { describeIf } from '../support/needs.ts';
import { node, run } from '../support/process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  existsSync,
);
const needed = 'needs a browser, the Debian package chromium';

let api: ApiProcess;
let folder: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  api = await startApi(folder);
  await report();
});

const tabs = exampleQueries(Date.now());
const nameOf = (query: string) => /^(?:query|subscription) (\w+)/m.exec(query)?.[1] ?? '';
const live = tabs.filter((query) => query.includes('subscription '));
/** What a fleet of one host, which reported just now, cannot tell. */
const needMore = ['Changes', 'AsOf', 'Results'];

async function report(): Promise<void> {
  const once = await runAgent(['once'], { cwd: folder, env: { OS_INSPECTOR_URL: api.url } });
  expect(once).toMatchObject({ code: 0, stdout: 'success\n' });
}

test('each example query has a number, a name and a comment that is read at a glance', () => {
  expect(tabs.length).toBeGreaterThan(10);
  expect(new Set(tabs.map(nameOf)).size).toBe(tabs.length);
  for (const [index, query] of tabs.entries()) {
    const comment = query.split('\n').filter((line) => line.startsWith('#'));
    expect(comment[0], query).toMatch(new RegExp(`^# ${index + 1}\\. `));
    expect(comment.length, query).toBeLessThan(5);
    for (const line of query.split('\n')) expect(line.length, line).toBeLessThan(62);
  }
});

test('every example query of the page works on a fleet of one host', async () => {
  for (const query of tabs.filter((tab) => !live.includes(tab))) {
    const data = await api.ask(query);
    if (needMore.includes(nameOf(query))) continue;
    const [found] = Object.values<{ nodes?: unknown[]; count?: number } | unknown[]>(data);
    const rows = Array.isArray(found) ? found : (found?.nodes ?? [found?.count]);
    expect(rows, query).not.toHaveLength(0);
  }
});

test('the times in the example queries are days before the one on which the page is opened', () => {
  const asked = (day: string) => exampleQueries(Date.parse(day)).join('\n');
  expect(asked('2026-05-08T00:00:00Z')).toBe(asked('2026-05-08T23:59:59Z'));
  expect(asked('2026-05-08T12:00:00Z')).toContain('asOf: "2026-05-05T00:00:00Z"');
  expect(asked('2026-05-09T00:00:00Z')).toContain('asOf: "2026-05-06T00:00:00Z"');
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
    await page.getByText('query FirstLook').first().waitFor();
    for (const name of tabs.map(nameOf)) {
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

  test('every tab runs without an error, and the live one shows a report that comes in', async () => {
    for (const query of tabs) {
      const name = nameOf(query);
      await page.getByRole('tab', { name }).click();
      // It writes the query into the address once it knows the operation in it.
      await page.waitForURL((url) => url.searchParams.get('query')?.includes(` ${name}`) ?? false);
      const result = page.locator('.result-window');
      if (live.includes(query)) {
        await page.getByRole('button', { name: /execute query/i }).click();
        // Nothing says when it has begun to listen, so there may have to be another report.
        const shown = result.getByText('reportSubmitted').first();
        while (!(await shown.isVisible())) await report();
        await page.getByRole('button', { name: /stop query/i }).click();
      } else {
        const answered = page.waitForResponse(
          (response) => response.request().postDataJSON()?.operationName === name,
        );
        await page.getByRole('button', { name: /execute query/i }).click();
        expect((await answered).status(), name).toBe(200);
        await result.getByText('"data"').first().waitFor();
      }
      expect(await result.textContent(), name).not.toContain('"errors"');
      const { UPDATE_SCREENSHOTS: shots } = process.env;
      if (shots) await page.screenshot({ path: `${shots}/${name}.png` });
    }
    await page.getByRole('tab', { name: 'FirstLook' }).click();
  });

  test('a click on another tab shows it at once, and the page may be loaded again', async () => {
    const fresh = await browser.newPage();
    await fresh.goto(api.url);
    const tab = fresh.getByRole('tab', { name: 'Hosts' });
    await tab.waitFor();
    // Where the tab is drawn first, as a person clicks, not where it has come to rest.
    const box = await tab.boundingBox();
    await fresh.mouse.click((box?.x ?? 0) + (box?.width ?? 0) / 2, (box?.y ?? 0) + (box?.height ?? 0) / 2);
    await fresh.getByText('query Hosts').first().waitFor();
    // GraphiQL shows the text before it knows the operation in it; then it writes the query into the address.
    await fresh.waitForURL(/query=.*Hosts/s);
    await fresh.getByRole('button', { name: /execute query/i }).click();
    await fresh.locator('.result-window').getByText('totalCount').first().waitFor();
    await fresh.reload();
    await fresh.getByRole('tab', { name: 'Hosts' }).waitFor();
    await fresh.close();
  });

  test('its documentation shows what the plugins declare', async () => {
    await page.getByRole('button', { name: /show documentation explorer/i }).click();
    await page.getByRole('link', { name: 'Query' }).or(page.getByText('Query').first()).first().waitFor();
    expect(await page.locator('.graphiql-doc-explorer').textContent()).toContain('Query');
  });

  test('its explorer shows the query as a tree', async () => {
    await page.getByRole('button', { name: /show graphiql explorer/i }).click();
    await page.locator('.docExplorerWrap').getByText('reports', { exact: true }).first().waitFor();
    if (process.env.UPDATE_SCREENSHOTS)
      await page.screenshot({ path: `${process.env.UPDATE_SCREENSHOTS}/explorer.png` });
    await page.getByRole('button', { name: /hide graphiql explorer/i }).click();
  });

  test('it completes what is typed, marks what is wrong, and a new tab runs what stands there', async () => {
    await page.getByRole('button', { name: /new tab/i }).click();
    await page.locator('.graphiql-editor .view-lines').first().click();
    await page.keyboard.press('Control+A');
    await page.keyboard.type('{ factSt');
    const offered = page.locator('.suggest-widget .monaco-list-row');
    // Asked for again, as the language worker may still be on its way.
    while (!(await offered.filter({ hasText: 'factStats' }).count())) {
      await page.keyboard.press('Control+Space');
      await offered.first().waitFor();
    }
    if (process.env.UPDATE_SCREENSHOTS)
      await page.screenshot({ path: `${process.env.UPDATE_SCREENSHOTS}/completion.png` });
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+A');
    await page.keyboard.type('{ nothing ');
    await page.locator('.squiggly-error').first().waitFor();
    await page.keyboard.press('Control+A');
    await page.keyboard.type('query Typed { __typename ');
    await page.keyboard.press('Control+Enter');
    await page.locator('.result-window').getByText('"Query"').first().waitFor();
    await page.getByRole('tab', { name: 'Typed' }).waitFor();
  });

  test('runs no script and asks no address but its own, whatever is put into it', async () => {
    const attacked = await browser.newPage();
    await attacked.goto(api.url);
    await attacked.getByText('query FirstLook').first().waitFor();
    const refused = await attacked.evaluate(async () => {
      const told: string[] = [];
      document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => {
        told.push(effectiveDirective);
      });
      const add = (tag: string, properties: object) =>
        document.body.append(Object.assign(document.createElement(tag), properties));
      add('script', { textContent: 'window.injected = true' });
      add('script', { src: 'https://evil.example/x.js' });
      add('script', { src: '/graphql?query=script' });
      add('img', { src: 'https://evil.example/?what=is-shown' });
      add('iframe', { src: 'https://evil.example/' });
      add('div', { innerHTML: '<img src="data:," onerror="window.injected = true">' });
      add('base', { href: 'https://evil.example/' });
      await fetch('https://evil.example/').catch(() => {});
      while (new Set(told).size < 6) await new Promise((resolve) => setTimeout(resolve, 20));
      return { told: [...new Set(told)].sort(), injected: 'injected' in window };
    });
    expect(refused).toEqual({
      told: ['base-uri', 'connect-src', 'frame-src', 'img-src', 'script-src-attr', 'script-src-elem'],
      injected: false,
    });
    await attacked.close();
  });

  test('asks for a token where one is needed, and asks with it from then on', async () => {
    const own = await temporaryFolder();
    const args = ['api/main.ts', 'token', 'create', '--name', 'operator', '--scope', 'read'];
    const made = await run(node, args, { env: { BUCKET_URL: `file:${own}/bucket` } });
    expect(made.code).toBe(0);
    const closed = await startApi(own, { env: { AUTH: 'required' } });
    const open = async (password: string) => {
      const context = await browser.newContext({ httpCredentials: { username: 'anybody', password } });
      const tab = await context.newPage();
      const response = await tab.goto(closed.url);
      return { tab, status: response?.status() };
    };
    expect((await open('osi_t_wrong')).status).toBe(401);
    const { tab, status } = await open(made.stdout.trim());
    expect(status).toBe(200);
    await tab.getByRole('tab', { name: 'Plugins' }).click();
    await tab.waitForURL(/query=.*Plugins/s);
    await tab.getByRole('button', { name: /execute query/i }).click();
    await tab.locator('.result-window').getByText('"plugins"').first().waitFor();
    await tab.context().close();
  });

  test('is in no frame of another page', async () => {
    const framing = await browser.newPage();
    await framing.setContent(`<iframe src="${api.url}"></iframe>`);
    const frame = await (await framing.waitForSelector('iframe')).contentFrame();
    await frame?.waitForURL(/chrome-error:/);
    await framing.close();
  });

  test('asks no other host for anything, and has no errors', () => {
    expect(outside).toEqual([]);
    expect(errors).toEqual([]);
  });
});
