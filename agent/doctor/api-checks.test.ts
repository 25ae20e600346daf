import { describe, expect, test } from 'vitest';
import { acknowledge, closedUrl, respond, startStubApi } from '../../test/support/stub-api.ts';
import { fixedToken } from '../access/credentials.ts';
import { connect } from '../submit.ts';
import { checkApi, checkClock, checkToken, judgeClock } from './api-checks.ts';
import { failed, ok } from './check.ts';

const { signal } = new AbortController();
const to = (url: string, token: string | null) => connect({ url, credentials: fixedToken(token) });

test('an API that answers, one that wants another token, and none', async () => {
  const api = await startStubApi();
  expect(await checkApi(to(api.url, 'a'), signal)).toMatchObject({ status: 'OK' });
  expect(api.requests[0]?.headers.authorization).toBe('Bearer a');
  const strict = await startStubApi((_request, response) => respond(response, 401, ''));
  expect(await checkApi(to(strict.url, 'a'), signal)).toMatchObject({
    status: 'FAILED',
    detail: expect.stringContaining('OS_INSPECTOR_TOKEN'),
  });
  expect(await checkApi(to(await closedUrl(), null), signal)).toMatchObject({ status: 'FAILED' });
  const failing = await startStubApi((_request, response) => respond(response, 502, ''));
  expect(await checkApi(to(failing.url, null), signal)).toMatchObject({
    status: 'FAILED',
    detail: expect.stringMatching(/answered HTTP 502; its log, or that of a proxy before it, says why$/),
  });
});

test.each([
  ['is not set', 'http://api.example/', null, ok('api', ''), 'OK'],
  ['goes unencrypted', 'http://api.example/', 'a', ok('api', ''), 'WARNING'],
  ['goes over loopback', 'http://127.0.0.1/', 'a', ok('api', ''), 'OK'],
  ['is encrypted', 'https://api.example/', 'a', ok('api', ''), 'OK'],
  ['could not be tried', 'https://api.example/', 'a', failed('api', '', null), 'SKIPPED'],
])('a token that %s', (_, url, token, api, status) => {
  expect(checkToken(new URL(url), token, api).status).toBe(status);
});

test('a token that sends no reports, and an API that does not tell', async () => {
  const url = new URL('https://api.example/');
  expect(checkToken(url, 'a', ok('api', ''), ['READ'])).toMatchObject({
    status: 'FAILED',
    detail: 'it may not send reports: it allows READ',
    todo: expect.stringContaining('--scope submit'),
  });
  expect(checkToken(url, 'a', ok('api', ''), ['SUBMIT', 'READ'])).toMatchObject({ status: 'OK' });
  const told = await startStubApi((_, response) =>
    respond(response, 200, { data: { viewer: { scopes: ['READ'] } } }),
  );
  expect(await to(told.url, 'a').scopes(signal)).toEqual(['READ']);
  const older = await startStubApi((_, response) =>
    respond(response, 400, {
      errors: [{ message: 'no viewer', extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }],
    }),
  );
  expect(await to(older.url, 'a').scopes(signal)).toBeNull();
});

describe('the clock', () => {
  test.each([
    ['right', 0, 'OK'],
    ['some seconds ahead', 20_000, 'WARNING'],
    ['minutes ahead', 600_000, 'FAILED'],
    ['minutes behind', -600_000, 'FAILED'],
  ])('of a server that is %s', async (_, aheadMs, status) => {
    const api = await startStubApi((request, response) => {
      response.setHeader('date', new Date(Date.now() + aheadMs).toUTCString());
      acknowledge(request, response);
    });
    expect(await checkClock(new URL(api.url), signal)).toMatchObject({ status });
  });

  test('is told with its side', () => {
    const date = 'Thu, 01 Jan 2026 10:00:00 GMT';
    const theirs = Date.parse(date);
    const ahead = judgeClock(date, theirs + 120_900, theirs + 121_000);
    expect(ahead.detail).toBe("the clock of this machine is 1 min ahead of the API's");
    const behind = judgeClock(date, theirs - 61_000, theirs - 60_500);
    expect(behind.detail).toBe("the clock of this machine is 1 min behind the API's");
    // Within the second of the header, and the time that the answer took.
    expect(judgeClock(date, theirs - 30_000, theirs + 30_000).status).toBe('OK');
  });

  test('of nobody', async () => {
    expect(judgeClock(null, 0, 0).status).toBe('SKIPPED');
    expect(await checkClock(new URL(await closedUrl()), signal)).toMatchObject({ status: 'SKIPPED' });
  });
});
