import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkConfig } from './config.ts';
import { findConfig } from './config-file.ts';
import { configJsonSchema } from './config-json-schema.ts';
import { loadConfiguredPlugins } from './configured-plugins.ts';

const checkout = join(import.meta.dirname, '..');

test('agent.config.schema.json is up to date', async () => {
  const written = JSON.parse(await readFile(join(checkout, 'agent.config.schema.json'), 'utf8'));
  expect(written).toEqual(configJsonSchema());
});

test('every key is described, and has its default', () => {
  const { properties } = configJsonSchema() as {
    properties: Record<string, { description?: string; default?: unknown }>;
  };
  for (const property of Object.values(properties)) expect(property.description).toBeTruthy();
  const defaults = Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, value.default]));
  expect(defaults).toMatchObject({
    interval: '60s',
    timeout: '10s',
    labels: {},
    plugins: ['cpu', 'user', 'os', 'network'],
  });
});

test('the example config has no problem', async () => {
  const file = await findConfig(checkout, 'agent.config.example.json');
  const { config, problems } = checkConfig(file.value);
  expect(problems).toEqual([]);
  const loaded = await loadConfiguredPlugins(config?.plugins ?? [], file.folder, { onStray: () => {} });
  expect(loaded.problems).toEqual([]);
  expect(loaded.plugins.map(({ plugin }) => plugin.name)).toEqual(['cpu', 'user', 'os', 'network']);
});
