/** What an export refuses, and with which words. */
import { beforeAll, expect, test } from 'vitest';
import { type ExportStores, openExportStores } from '../../test/support/export-stores.ts';

let stores: ExportStores;
beforeAll(async () => {
  stores = await openExportStores();
});

const json = (filter: unknown) => encodeURIComponent(JSON.stringify(filter));

test.each([
  ['reports.csv?filtre={}', ['filtre'], 'filtre: no such parameter: did you mean "filter"?'],
  ['reports.csv?format=csv&x=1', ['format'], 'format: no such parameter: there are filter, limit'],
  ['reports.ndjson?asOf=2026-05-01T00:00:00Z', ['asOf'], 'asOf: no such parameter: there are filter, limit'],
  ['hosts.csv?limit=1&limit=2', ['limit'], 'limit: is given more than once'],
  ['hosts.csv?limit=0', ['limit'], 'limit: must be a whole number from 1, such as 1000, but is "0"'],
  ['hosts.csv?limit=1e3', ['limit'], 'limit: must be a whole number from 1, such as 1000, but is "1e3"'],
  [
    'hosts.csv?filter={os}',
    ['filter'],
    /^filter: must be JSON, such as \{"os":\{"kernel":\{"lt":"6\.1\.90"\}\}\}: /,
  ],
  ['hosts.csv?filter=5', ['filter'], /^filter: Expected type "HostFilter" to be an object/],
  [
    `hosts.csv?filter=${json({ nam: { eq: 'a' } })}`,
    ['filter'],
    /Field "nam" is not defined by type "HostFilter"\. Did you mean "name"/,
  ],
  [
    `reports.csv?filter=${json({ and: [{}, { os: { kernel: { less: '6' } } }] })}`,
    ['filter', 'and', 1, 'os', 'kernel'],
    /^filter\.and\[1\]\.os\.kernel: Field "less" is not defined/,
  ],
  [
    `reports.csv?filter=${json({ network: { primaryAddress: { inSubnet: '10.0.0.0/33' } } })}`,
    ['filter', 'network', 'primaryAddress', 'inSubnet'],
    /10\.0\.0\.0\/33/,
  ],
  [
    `reports.csv?filter=${json({ fact: { path: 'os.kernal', eq: 'x' } })}`,
    ['filter', 'fact', 'path'],
    /did you mean "os\.kernel"\?/,
  ],
  ['hosts.csv?asOf=yesterday', ['asOf'], /^asOf: .*yesterday/],
])('%s', async (query, path, message) => {
  const response = await stores.get(`/export/${query}`);
  expect(response.status).toBe(400);
  expect(response.headers.get('content-type')).toBe('application/json');
  const { errors } = (await response.json()) as { errors: unknown[] };
  expect(errors[0]).toEqual({
    message: typeof message === 'string' ? message : expect.stringMatching(message),
    extensions: { code: 'BAD_USER_INPUT', path },
  });
  expect(stores.lists()).toBe(0);
});

test('every problem of a filter is told at once', async () => {
  const filter = json({ os: { kernel: { less: '6' } }, nam: {} });
  const { errors } = (await (await stores.get(`/export/hosts.csv?filter=${filter}`)).json()) as {
    errors: unknown[];
  };
  expect(errors).toHaveLength(2);
});

test('a filter that is nested without end is refused, and not the end of the process', async () => {
  const filter = `${'{"not":'.repeat(2_000)}{}${'}'.repeat(2_000)}`;
  const response = await stores.get(`/export/hosts.csv?filter=${filter}`);
  expect(response.status).toBe(400);
});

test('a head alone tells what the file would be, and reads nothing', async () => {
  const response = await stores.get('/export/hosts.csv', { method: 'HEAD' });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toContain('text/csv');
  expect(await response.text()).toBe('');
  expect((await stores.get('/export/hosts.csv?limit=x', { method: 'HEAD' })).status).toBe(400);
  expect(stores.lists()).toBe(0);
});

test('other methods and paths are refused with what there is', async () => {
  const posted = await stores.get('/export/hosts.csv', { method: 'POST', body: '{}' });
  expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  expect(await posted.json()).toMatchObject({ errors: [{ extensions: { code: 'METHOD_NOT_ALLOWED' } }] });
  const missing = await stores.get('/export/host.csv');
  expect(missing.status).toBe(404);
  expect(await missing.json()).toMatchObject({
    errors: [{ message: 'no /export/host.csv here: did you mean "/export/hosts.csv"?' }],
  });
});
