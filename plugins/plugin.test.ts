import { expect, expectTypeOf, test } from 'vitest';
import * as z from 'zod';
import { count, definePlugin, list, number, reservedPluginNames, text } from './plugin.ts';

const minimal = {
  name: 'rack',
  version: 1,
  description: 'Where the host stands',
  facts: { row: count('Row of the rack') },
  collect: async () => ({ row: 7 }),
};

/** What `definePlugin` says against a declaration that TypeScript would refuse as well. */
function problemsOf(plugin: unknown): string {
  try {
    definePlugin(plugin as Parameters<typeof definePlugin>[0]);
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return (error as TypeError).message;
  }
  return '';
}

test('returns its argument', () => {
  expect(definePlugin(minimal)).toBe(minimal);
});

test('takes everything a plugin may have', () => {
  const plugin = definePlugin({
    ...minimal,
    facts: {
      row: count('Row', { nullable: false }),
      slots: list('Slots', {
        height: number('Height', { unit: 'metres' }),
        labels: list('Labels', text('Label')),
      }),
    },
    readings: { temperature: number('Temperature', { unit: 'celsius' }) },
    source: '/etc/rack',
    platforms: ['linux'],
    options: z.object({ row: z.int() }),
    collect: async ({ options }) => ({ row: options.row, temperature: 21 }),
  });
  expect(plugin.name).toBe('rack');
});

test('types follow from facts, readings and options', () => {
  definePlugin({
    ...minimal,
    readings: { height: number('x') },
    options: z.object({ row: z.int() }),
    collect: async ({ options, root, cache, signal }) => {
      expectTypeOf(options).toEqualTypeOf<{ row: number }>();
      expectTypeOf(root).toEqualTypeOf<string>();
      expectTypeOf(cache).toEqualTypeOf<Map<string, unknown>>();
      expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
      return { row: options.row, height: 1.5 };
    },
  });
  // @ts-expect-error a count is a number
  definePlugin({ ...minimal, collect: async () => ({ row: 'seven' }) });
  definePlugin({ ...minimal, collect: async () => null });
});

test('a name that is wrong names the rule', () => {
  for (const name of ['Rack', 'my-rack', 'my_rack', '', '7rack', 'a b', 5, undefined]) {
    expect(problemsOf({ ...minimal, name })).toContain('name: ');
  }
});

test('a name that every report has already is refused', () => {
  for (const name of reservedPluginNames) {
    expect(problemsOf({ ...minimal, name })).toContain('name: is a name that every report has already');
  }
});

test('every problem is named at once, each with its path', () => {
  const message = problemsOf({
    name: 'My Rack',
    version: 0,
    description: '',
    facts: { 'bad name': text('x'), row: { kind: 'integer', description: 'x' }, slot: { kind: 'count' } },
    readings: {},
    colour: 'red',
    collect: 'later',
  });
  expect(message).toContain('plugin "My Rack" is not declared right: ');
  for (const part of ['name: ', 'version: ', 'description: ', 'facts.bad name: ', 'facts.row.kind: ']) {
    expect(message).toContain(part);
  }
  expect(message).toContain('facts.slot.description: ');
  expect(message).toContain('readings: must name at least one');
  expect(message).toContain('collect: must be a function');
  expect(message).toContain('colour');
});

test('a fact and a reading cannot share a name', () => {
  const message = problemsOf({ ...minimal, readings: { row: count('x') } });
  expect(message).toContain('readings.row: is declared as a fact already');
});

test('records in lists are checked as deep as they go', () => {
  const facts = {
    slots: list('x', { items: list('x', { bad: { kind: 'what', description: 'x' } as never }) }),
  };
  expect(problemsOf({ ...minimal, facts })).toContain('facts.slots.of');
});

test('options must be a schema, and facts must be there', () => {
  expect(problemsOf({ ...minimal, options: { row: 1 } })).toContain('options: must be a zod schema');
  expect(problemsOf({ ...minimal, facts: {} })).toContain('facts: must name at least one');
});

test.each([null, undefined, 1, 'cpu', []])('%j is no plugin', (plugin) => {
  expect(problemsOf(plugin)).toContain('plugin: ');
});
