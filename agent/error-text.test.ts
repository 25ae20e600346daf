import { expect, test } from 'vitest';
import { errorText } from './error-text.ts';

test.each([
  [new Error('one\n two'), 'one two'],
  [new Error(''), 'Error'],
  [new Error('outer', { cause: new Error('inner') }), 'outer: inner'],
  ['text', 'text'],
  [{ code: 5 }, '{"code":5}'],
  ['', 'failed without a message'],
  ['a\0b', 'ab'],
  ['\0', 'failed without a message'],
  ['half \ud83d', 'half \ufffd'],
])('%j is %j', (thrown, text) => {
  expect(errorText(thrown)).toBe(text);
});

test('what is cut stays well-formed, wherever the cut goes', () => {
  for (const start of ['', 'x']) {
    const text = errorText(start + '\u{1f600}'.repeat(1_000));
    expect(text).toHaveLength(1_000);
    expect(text.isWellFormed()).toBe(true);
    expect(text.endsWith('…')).toBe(true);
  }
});
