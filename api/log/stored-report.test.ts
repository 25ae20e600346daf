import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseStoredReport } from './stored-report.ts';

const sample = (name: string) =>
  readFileSync(new URL(`../../test/fixtures/stored/${name}`, import.meta.url), 'utf8');

test('the first stored format is read for ever', () => {
  expect(parseStoredReport(sample('format-1.ndjson'))).toMatchObject({
    id: '01a2095b-6e4b-7177-9ab1-da672093a1aa',
    host: { name: 'web-1', labels: { environment: 'production' } },
    intervalSeconds: 60,
    results: [
      {
        plugin: 'os',
        status: 'OK',
        facts: { distribution: 'Debian GNU/Linux' },
        readings: { uptimeSeconds: 5.5 },
      },
      { plugin: 'rack', status: 'TIMEOUT', facts: null, error: 'took longer than 5s' },
    ],
  });
});

test('a sample that says where its host was cloned from is read for ever', () => {
  expect(parseStoredReport(sample('format-1-cloned.ndjson')).host).toEqual({
    id: '6a2f4c1e-0d0b-4a37-9c55-1f1f6a3b7d20',
    name: 'web-2',
    labels: {},
    clonedFrom: 'f29ff520-56ed-4962-9f75-962b852f0fc1',
  });
  expect(parseStoredReport(sample('format-1.ndjson')).host).not.toHaveProperty('clonedFrom');
});
