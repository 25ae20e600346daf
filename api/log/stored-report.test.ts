import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseStoredReport } from './stored-report.ts';

test('the first stored format is read for ever', () => {
  const line = readFileSync(new URL('../../test/fixtures/stored/format-1.ndjson', import.meta.url), 'utf8');
  expect(parseStoredReport(line)).toMatchObject({
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
