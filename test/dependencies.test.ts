import { expect, test } from 'vitest';
import { auditVerdict, byLicence, installedPackages, isAllowed } from '../scripts/dependencies.ts';

test('what users install has licences that ask for nothing but their text', async () => {
  const licences = byLicence(await installedPackages());
  expect(licences.get('MIT')).toContainEqual(expect.stringMatching(/^graphql-yoga@\d/));
  expect([...licences.keys()].filter((licence) => !isAllowed(licence))).toEqual([]);
});

test.each([
  ['MIT', true],
  ['(MIT OR GPL-3.0)', true],
  ['MIT AND GPL-3.0', false],
  ['GPL-3.0', false],
  ['none', false],
])('%s is allowed: %s', (licence, expected) => {
  expect(isAllowed(licence)).toBe(expected);
});

test.each([
  [{ metadata: { vulnerabilities: { total: 0 } }, vulnerabilities: {} }, 'clean', /nothing known/],
  [
    {
      metadata: { vulnerabilities: { total: 1 } },
      vulnerabilities: { pg: { name: 'pg', severity: 'critical', range: '<8.0.0' } },
    },
    'vulnerable',
    /critical: pg <8\.0\.0/,
  ],
  [{ message: '405 Method Not Allowed', statusCode: 405 }, 'unknown', /405 Method Not Allowed/],
])('an audit that says %j is %s', (report, outcome, text) => {
  expect(auditVerdict(JSON.stringify(report))).toEqual({ outcome, text: expect.stringMatching(text) });
});
