import { describe, expect, test } from 'vitest';
import { readSettings } from './settings.ts';

const read = (env: Record<string, string>) => readSettings(env, '/srv/inventory');
const settings = (env: Record<string, string>) => {
  const result = read(env);
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  return result.settings;
};

test('nothing set is the stores of a folder, for this machine alone', () => {
  const defaults = {
    host: '127.0.0.1',
    port: 4000,
    bucket: { kind: 'folder', folder: '/srv/inventory/data/bucket' },
    indexFile: '/srv/inventory/data/index.db',
    plugins: [],
  };
  expect(settings({})).toEqual(defaults);
  expect(settings({ HOST: '', PORT: ' ', BUCKET_URL: '', INDEX_URL: '', PLUGINS: '' })).toEqual(defaults);
});

test.each([
  ['file:./here', '/srv/inventory/here'],
  ['file:here/too', '/srv/inventory/here/too'],
  ['file:/absolute', '/absolute'],
  ['file:///absolute/with%20space', '/absolute/with space'],
])('BUCKET_URL %s is the folder %s', (url, folder) => {
  expect(settings({ BUCKET_URL: url }).bucket).toEqual({ kind: 'folder', folder });
});

test.each([
  ['s3://fleet', { bucket: 'fleet', prefix: '', forcePathStyle: false }],
  ['s3://fleet/', { bucket: 'fleet', prefix: '', forcePathStyle: false }],
  ['s3://fleet/a/b/', { bucket: 'fleet', prefix: 'a/b', forcePathStyle: false }],
  [
    's3://fleet/p?region=eu-central-1&endpoint=http://127.0.0.1:9000&forcePathStyle=true',
    {
      bucket: 'fleet',
      prefix: 'p',
      region: 'eu-central-1',
      endpoint: 'http://127.0.0.1:9000',
      forcePathStyle: true,
    },
  ],
])('BUCKET_URL %s', (url, expected) => {
  expect(settings({ BUCKET_URL: url }).bucket).toEqual({ kind: 's3', ...expected });
});

test('plugins are listed with commas', () => {
  expect(settings({ PLUGINS: './rack.ts, @acme/rack ,' }).plugins).toEqual(['./rack.ts', '@acme/rack']);
});

describe('what cannot be used is told, with what to write instead', () => {
  test.each([
    ['PORT', 'http', /whole number from 0 to 65535.*"http"/],
    ['PORT', '65536', /0 to 65535/],
    ['PORT', '-1', /0 to 65535/],
    ['PORT', '1e3', /0 to 65535/],
    ['BUCKET_URL', 'fleet', /must begin with file: or s3:\/\//],
    ['BUCKET_URL', 'https://s3.example.org/fleet', /must begin with/],
    ['BUCKET_URL', 'file:', /names no path/],
    ['BUCKET_URL', 'file://host/path', /file:\.\/relative/],
    ['BUCKET_URL', 's3://', /names no bucket/],
    ['BUCKET_URL', 's3://key:secret@fleet', /must not hold credentials/],
    ['BUCKET_URL', 's3://fleet?regoin=x', /unknown options regoin/],
    ['BUCKET_URL', 's3://fleet?endpoint=host:9000', /endpoint must begin with http/],
    ['BUCKET_URL', 's3://fleet?forcePathStyle=yes', /true or false/],
    ['INDEX_URL', 'index.db', /must begin with sqlite:/],
    ['INDEX_URL', 'sqlite:', /names no path/],
  ])('%s=%s', (setting, value, message) => {
    expect(read({ [setting]: value })).toEqual({
      problems: [{ setting, message: expect.stringMatching(message) }],
    });
  });

  test('all of it at once', () => {
    const result = read({ PORT: 'x', BUCKET_URL: 'y', INDEX_URL: 'z' });
    expect(result).toMatchObject({
      problems: [{ setting: 'PORT' }, { setting: 'BUCKET_URL' }, { setting: 'INDEX_URL' }],
    });
  });

  test('a password is not repeated', () => {
    expect(JSON.stringify(read({ BUCKET_URL: 's3://key:hunter2@fleet' }))).not.toContain('hunter2');
  });
});
