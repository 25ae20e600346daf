/** type-name: GraphQL names types in PascalCase, plugins and facts are named in camelCase. */
export function typeName(name: string): string {
  return `${name[0]?.toUpperCase() ?? ''}${name.slice(1)}`;
}
