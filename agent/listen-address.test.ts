import { expect, test } from 'vitest';
import { parseListenAddress } from './listen-address.ts';

test.each([
  ['127.0.0.1:9115', { host: '127.0.0.1', port: 9115 }],
  ['localhost:0', { host: '127.0.0.1', port: 0 }],
  ['[::1]:9115', { host: '::1', port: 9115 }],
  ['0.0.0.0:1', { host: '0.0.0.0', port: 1 }],
  ['9115', null],
  [':9115', null],
  ['::1:9115', null],
  ['[10.0.0.1]:80', null],
  ['host.example:80', null],
  ['127.0.0.1:70000', null],
])('%s', (text, address) => {
  expect(parseListenAddress(text)).toEqual(address);
});
