import { describe, expect, test } from 'vitest';
import * as ours from './fetch-classes.ts';

describe.each([
  ['ours', ours.Headers],
  ["Node's own", Headers],
])('headers: %s', (_, Kind) => {
  test('names in any case, several values as one, from pairs and from an object', () => {
    const headers = new Kind({ Accept: 'a', 'x-y': ' b ' });
    headers.append('accept', 'c');
    headers.set('X-Y', 'd');
    expect([headers.get('ACCEPT'), headers.get('x-y'), headers.get('none')]).toEqual(['a, c', 'd', null]);
    expect([headers.has('Accept'), headers.has('none')]).toEqual([true, false]);
    const seen: string[] = [];
    headers.forEach((value, name) => void seen.push(`${name}=${value}`));
    expect(seen).toEqual(['accept=a, c', 'x-y=d']);
    expect(Object.fromEntries(new Kind([...headers]))).toEqual({ accept: 'a, c', 'x-y': 'd' });
  });
});

test('an answer tells its status, its headers and its body', async () => {
  const headers = new ours.Headers({ 'content-type': 'application/json' });
  const answer = new ours.Response('{"a":1}', { status: 201, headers });
  expect([answer.ok, answer.status, answer.headers.get('Content-Type')]).toEqual([
    true,
    201,
    'application/json',
  ]);
  expect(await answer.text()).toBe('{"a":1}');
  expect(await answer.json()).toEqual({ a: 1 });
  const none = new ours.Response(null, { status: 304, headers });
  expect([none.ok, await none.text()]).toEqual([false, '']);
});
