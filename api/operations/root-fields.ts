/** root-fields: what an operation asks for, by the schema's names and not by those that its client chose. */
import { type DocumentNode, Kind, type OperationDefinitionNode, type SelectionSetNode } from 'graphql';

/** Each once, in the order of the document; of a valid one there are no more than the schema has. */
export function rootFieldsOf(
  { definitions }: DocumentNode,
  { selectionSet }: OperationDefinitionNode,
): string[] {
  const fields = new Set<string>();
  const spread = new Set<string>();
  function add({ selections }: SelectionSetNode): void {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) fields.add(selection.name.value);
      else if (selection.kind === Kind.INLINE_FRAGMENT) add(selection.selectionSet);
      else addFragment(selection.name.value);
    }
  }
  function addFragment(name: string): void {
    if (spread.has(name)) return;
    spread.add(name);
    for (const definition of definitions) {
      if (definition.kind === Kind.FRAGMENT_DEFINITION && definition.name.value === name) {
        add(definition.selectionSet);
      }
    }
  }
  add(selectionSet);
  return [...fields];
}
