/** order: the order inputs, `{ field, direction }`, and what they default to. */
import type { Builder, OrderInput } from '../builder.ts';
import type { Order } from '../index/index-store.ts';

export type DirectionType = ReturnType<typeof defineDirection>;

export function defineDirection(builder: Builder) {
  return builder.enumType('Direction', {
    description: 'Which way an order runs.',
    values: {
      ASC: { description: 'Smallest, oldest or first in the alphabet first.' },
      DESC: { description: 'Largest, newest or last in the alphabet first.' },
    } as const,
  });
}

/** Defines `<Name>Order` and `<Name>OrderField`, both defaults shown in the schema. */
export function defineOrder<Field extends string>(
  builder: Builder,
  directionType: DirectionType,
  name: string,
  fields: Record<Field, string>,
  { field, direction }: Order<Field>,
  /** More that the order takes, all of it text, with descriptions. */
  more: Readonly<Record<string, string>> = {},
): void {
  const fieldType = builder.enumType(`${name}OrderField`, {
    description: `What ${name.toLowerCase()}s are ordered by; their id decides between equals.`,
    values: Object.fromEntries(
      Object.entries<string>(fields).map(([value, description]) => [value, { description }]),
    ),
  });
  builder.inputRef<OrderInput<string>>(`${name}Order`).implement({
    description: `The order of a list of ${name.toLowerCase()}s.`,
    fields: (t) => ({
      field: t.field({ type: fieldType, required: true, defaultValue: field }),
      direction: t.field({ type: directionType, required: true, defaultValue: direction }),
      ...Object.fromEntries(
        Object.entries(more).map(([name, description]) => [name, t.string({ description })]),
      ),
    }),
  });
}
