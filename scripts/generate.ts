/**
 * generate: writes the files that follow from the code, or checks that they are what it would write.
 *
 * `--check` changes nothing and fails on drift; `npm run check` and the tests use it so.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { minifyIntrospection, outputIntrospectionFile } from '@gql.tada/internal';
import { introspectionFromSchema, lexicographicSortSchema, printSchema } from 'graphql';
import { configJsonSchema } from '../agent/config-json-schema.ts';
import { buildSchema } from '../api/schema/schema.ts';
import { loadBuiltinPlugins } from '../plugins/index.ts';
import { dashboard } from './dashboard.ts';
import { pluginReference } from './plugin-reference.ts';
import { insertPluginTable } from './plugin-table.ts';
import { insertAnswers } from './query-answers.ts';

const root = new URL('../', import.meta.url);

/** File names from the repository's root, and what they should hold given what they hold. */
const generated: Record<string, (now: string) => Promise<string>> = {
  'schema.graphql': async () =>
    `${printSchema(lexicographicSortSchema(buildSchema(await loadBuiltinPlugins())))}\n`,
  'agent.config.schema.json': async () => `${JSON.stringify(configJsonSchema(), null, 2)}\n`,
  'README.md': async (now) => insertPluginTable(now, await loadBuiltinPlugins(), 'en'),
  'docs/README.es.md': async (now) => insertPluginTable(now, await loadBuiltinPlugins(), 'es'),
  'docs/plugins.md': async () => pluginReference(await loadBuiltinPlugins()),
  'docs/queries.md': insertAnswers,
  'examples/schema.d.ts': schemaTypes,
  'packaging/grafana/os-inspector.json': async () => dashboard(),
};

/** The schema as types, of which gql.tada makes those of queries. */
async function schemaTypes(): Promise<string> {
  const schema = lexicographicSortSchema(buildSchema(await loadBuiltinPlugins()));
  const introspection = minifyIntrospection(introspectionFromSchema(schema, { descriptions: false }));
  const preamble =
    '/** The schema as types, made by npm run generate: what gql.tada takes the types of queries from. */';
  return outputIntrospectionFile(introspection, { fileType: '.d.ts', shouldPreprocess: true, preamble });
}

const check = process.argv.includes('--check');
const drifted: string[] = [];
for (const [name, make] of Object.entries(generated)) {
  const file = new URL(name, root);
  const now = await readFile(file, 'utf8').catch(() => '');
  const wanted = await make(now);
  if (now === wanted) continue;
  drifted.push(name);
  if (!check) await writeFile(file, wanted);
}

const names = drifted.join(', ');
if (check && drifted.length > 0) {
  process.stderr.write(`${names}: not what the code says; run "npm run generate" and commit the result\n`);
  process.exitCode = 1;
} else {
  process.stdout.write(drifted.length > 0 ? `wrote ${names}\n` : 'generated files are up to date\n');
}
