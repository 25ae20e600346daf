/** failure-table: every row of the table of failures in the design has tests that prove it, and none has lost them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { repository } from './support/process.ts';

const design = 'docs/design/0003-log-and-index.md';

const crash = 'test/e2e/crash.test.ts';
const stores = 'test/e2e/stores.test.ts';
const severalApis = 'test/e2e/several-apis.test.ts';
const simulation = 'test/simulation.test.ts';

/** By the first cell of each row: files, and names of tests as they are written there. */
const proofs: Record<string, [file: string, test: string][]> = {
  'API dies before the put': [
    ['api/log/log.test.ts', 'a report is acknowledged only once its segment is put'],
    [simulation, 'an API that dies before the put has taken nothing: the resend is as if it were the first'],
    [crash, 'after kill -9 under load, again and again, every acknowledged report is there once'],
  ],
  'API dies between put and apply': [
    [simulation, 'an API that dies between put and apply has taken the report: the resend is a duplicate'],
    [crash, 'of two APIs on one PostgreSQL one is killed under load: the other answers for both'],
    [severalApis, 'with an index of its own each, what one takes the other answers within a minute'],
  ],
  'API dies between apply and acknowledgement': [
    [simulation, 'an API that dies between apply and acknowledgement has, too'],
    [crash, 'after kill -9 under load, again and again, every acknowledged report is there once'],
  ],
  'put fails': [
    ['api/log/log.test.ts', 'a put that fails is told to its own reports, and the next segment goes on'],
    [stores, 'an S3 server that is killed and started again'],
    [simulation, 'seed %i'],
  ],
  'put times out but landed': [
    [simulation, 'a put that timed out and had landed makes a copy of the resend, which counts once'],
    [simulation, 'seed %i'],
  ],
  'one put hangs': [
    [
      'api/log/log.test.ts',
      'no longer than its patience with a put that hangs, which later ones then pass by',
    ],
  ],
  'bucket vanishes and returns': [
    [
      'api/bucket/folder-bucket.test.ts',
      'a bucket that is gone while in use is UNAVAILABLE, not empty, and works again when it is back',
    ],
    [stores, 'a bucket that vanishes and comes back'],
  ],
  'full disk under the bucket': [
    ['api/bucket/folder-bucket.test.ts', 'a full disk says what to do and shows no half object'],
    [stores, 'a full disk under the bucket'],
  ],
  'full disk under the index': [[stores, 'a full disk under the index']],
  'index or PostgreSQL down': [
    [
      'api/service.test.ts',
      'while the index is down reports are acknowledged, and appear once it is up again',
    ],
    [stores, 'a PostgreSQL that stops, and one that dies'],
    [stores, 'a PostgreSQL that is frozen'],
  ],
  'segment truncated, foreign or corrupted': [
    ['api/log/catch-up.test.ts', 'a segment that %s is told of once and set aside; the rest is taken'],
    ['api/log/catch-up.test.ts', 'a corrupt segment that is mended later is taken, however long it took'],
    ['api/log/compact.test.ts', 'what cannot be read is told of once, and stays; the rest is merged'],
    ['api/rebuild.test.ts', 'a segment that cannot be read is told by its key, and the rest is there'],
  ],
  'list ends early': [
    [stores, 'an S3 list that ends early is an error, not a shorter list'],
    ['api/log/catch-up.test.ts', 'however often the bucket fails, passes come to an end with everything'],
    [simulation, 'seed %i'],
  ],
  'segment listed, then gone': [
    ['api/log/catch-up.test.ts', 'segments that are merged between list and get are found in the same pass'],
  ],
  'index file deleted, damaged or of another version': [
    [stores, 'an index file that is deleted, damaged or of another version is made anew on start'],
    [stores, 'an index file that is deleted under a server is made anew by it'],
    ['api/index/sqlite-index.test.ts', 'a damaged index is thrown away'],
    ['api/index/sqlite-index.test.ts', 'an index of another version is thrown away, and that is told'],
  ],
  'compaction dies at any step, or runs twice at once': [
    [
      'api/log/compact-safety.test.ts',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: as it is written there
      'in ${runs} random runs no report is ever away, and all readers come to agree',
    ],
    [simulation, 'seed %i'],
    [
      severalApis,
      'compact beside a server under load: small segments become one an hour, and nothing else changes',
    ],
  ],
  'rebuild is killed': [
    [
      'api/rebuild.test.ts',
      'one that was stopped goes on where it was, and the index in use is left as it was',
    ],
    [
      severalApis,
      'rebuild beside a server under load, stopped half way and run again: the server goes over to it',
    ],
    [severalApis, 'rebuild beside two servers on one PostgreSQL, killed half way and run again'],
  ],
  'load beyond the limits': [
    [
      'api/log/log.test.ts',
      'past the bound of what may wait, a report is refused with a hint when to send it again',
    ],
    [
      'api/index-feed.test.ts',
      'an index that hangs holds up nobody for long, and what waits for it is bounded',
    ],
    [stores, 'more than may wait is answered UNAVAILABLE, and takes no more memory'],
  ],
};

/** The first cell of each row, but the heading. */
function rowsOf(file: string): string[] {
  const [, section = ''] = readFileSync(join(repository, file), 'utf8').split('\n## Failures\n');
  const [table = ''] = section.split('\n## ');
  const rows = table.split('\n').filter((line) => line.startsWith('| '));
  return rows.slice(2).map((row) => row.split('|')[1]?.trim() ?? '');
}

/** Whether the file has a test whose name is written so: a text, and then what runs. */
function hasTest(file: string, name: string): boolean {
  const text = readFileSync(join(repository, file), 'utf8');
  const quoted = ["'", '`'].map((quote) => quote + name + quote);
  return quoted.some((literal) =>
    text.split(literal).some((rest, at) => at > 0 && /^,\s*(?:async\b|\(|\{)/.test(rest)),
  );
}

test('the table and the proofs have the same rows', () => {
  const rows = rowsOf(design);
  expect(rows.length).toBeGreaterThan(15);
  expect(Object.keys(proofs).toSorted()).toEqual(rows.toSorted());
});

describe.each(Object.entries(proofs))('%s', (_row, tests) => {
  test('is proven', () => expect(tests.length).toBeGreaterThan(0));

  test.each(tests)('by %s: %s', (file, name) => {
    expect(hasTest(file, name), `${file} has no test of this name`).toBe(true);
  });
});

test('a name that is no test is not found', () => {
  expect(hasTest(simulation, 'seed %s')).toBe(false);
  expect(hasTest(stores, 'a bucket')).toBe(false);
});
