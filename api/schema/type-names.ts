/**
 * type-names: sees to it that no plugin defines a type that is there already.
 *
 * Names follow from plugins and their lists, so two of them, or one and the schema's own, can meet.
 */
import { type Facts, isScalar } from '../../plugins/fact.ts';
import type { AnyPlugin } from '../../plugins/plugin.ts';
import { Failure } from '../failure.ts';
import { typeName } from './type-name.ts';

/**
 * @param own types of the schema without any plugin
 * @throws Failure INVALID that names the plugin, the type and who has it
 */
export function assertTypeNames(own: Iterable<string>, plugins: readonly AnyPlugin[]): void {
  const owners = new Map<string, string>();
  for (const name of own) owners.set(name.toLowerCase(), 'the schema');
  const names = new Set<string>();
  for (const plugin of plugins) {
    if (names.has(plugin.name))
      throw new Failure('INVALID', `there are two plugins ${plugin.name}: rename one`);
    names.add(plugin.name);
    for (const type of typesOf(plugin)) {
      const owner = owners.get(type.toLowerCase());
      if (owner) {
        const problem = `plugin ${JSON.stringify(plugin.name)} would define the type ${type}, which ${owner} has already`;
        throw new Failure('INVALID', `${problem}: rename it`);
      }
      owners.set(type.toLowerCase(), `plugin ${JSON.stringify(plugin.name)}`);
    }
  }
}

function typesOf({ name, facts, readings }: AnyPlugin): string[] {
  const type = typeName(name);
  return [type, `${type}Filter`, ...listTypes(type, { ...facts, ...readings })];
}

function listTypes(parent: string, facts: Facts): string[] {
  return Object.entries(facts).flatMap(([name, fact]) => {
    if (fact.kind !== 'list') return [];
    const type = `${parent}${typeName(name)}`;
    if (isScalar(fact.of)) return [`${type}ListFilter`];
    return [`${type}ListFilter`, `${type}Item`, `${type}ItemFilter`, ...listTypes(`${type}Item`, fact.of)];
  });
}
