/**
 * plugin-info: `plugins`, what the server knows of each plugin: the documentation that clients can query.
 */
import { type Facts, factsJsonSchema, isScalar, scalarKinds, unitOf } from '../../plugins/fact.ts';
import type { AnyPlugin } from '../../plugins/plugin.ts';
import type { Builder } from '../builder.ts';

type FactInfo = {
  path: string;
  kind: string;
  description: string;
  unit: string | null;
  nullable: boolean;
  reading: boolean;
  comparison: string | null;
};

export function definePluginInfo(builder: Builder): void {
  const factInfo = builder.objectRef<FactInfo>('FactInfo').implement({
    description: 'One fact or reading that a plugin declares.',
    fields: (t) => ({
      path: t.exposeString('path', { description: '`plugin.field`, through lists without a position.' }),
      kind: t.exposeString('kind', { description: 'text, count, bytes, hertz, ip, list …' }),
      description: t.exposeString('description'),
      unit: t.exposeString('unit', { nullable: true }),
      nullable: t.exposeBoolean('nullable', { description: 'Whether a host may be unable to tell.' }),
      reading: t.exposeBoolean('reading', { description: 'Measured just now, and never part of a change.' }),
      comparison: t.exposeString('comparison', {
        nullable: true,
        description:
          'How filters compare it: text, number, boolean, instant, version or ip; null for a list of records.',
      }),
    }),
  });
  const plugin = builder.objectRef<AnyPlugin>('Plugin').implement({
    description: 'A plugin that the server knows, as it declares itself.',
    fields: (t) => ({
      name: t.exposeString('name'),
      version: t.exposeInt('version'),
      description: t.exposeString('description'),
      source: t.exposeString('source', { nullable: true, description: 'Where its facts come from.' }),
      facts: t.field({ type: [factInfo], description: 'Facts, then readings.', resolve: factsOf }),
      jsonSchema: t.field({
        type: 'JSON',
        description: 'JSON Schema (draft 2020-12) of its facts.',
        resolve: (plugin) => factsJsonSchema(plugin.facts),
      }),
    }),
  });
  builder.queryField('plugins', (t) =>
    t.field({
      type: [plugin],
      authScopes: { read: true },
      description: 'The plugins whose facts are typed and filterable here.',
      resolve: (_root, _args, { plugins }) => [...plugins],
    }),
  );
}

function factsOf(plugin: AnyPlugin): FactInfo[] {
  return [
    ...describe(plugin.facts, plugin.name, false),
    ...describe(plugin.readings ?? {}, plugin.name, true),
  ];
}

function* describe(facts: Facts, parent: string, reading: boolean): Generator<FactInfo> {
  for (const [name, fact] of Object.entries(facts)) {
    const { kind, description } = fact;
    const path = `${parent}.${name}`;
    const element = kind === 'list' ? fact.of : fact;
    const comparison = isScalar(element) ? scalarKinds[element.kind].compare : null;
    yield {
      path,
      kind,
      description,
      unit: unitOf(fact),
      nullable: fact.nullable !== false,
      reading,
      comparison,
    };
    if (!isScalar(element)) yield* describe(element, path, reading);
  }
}
