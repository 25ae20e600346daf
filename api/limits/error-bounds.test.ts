/** An answer holds no more errors, and no longer messages, than somebody reads. */
import { GraphQLError, buildSchema as parseSchema } from 'graphql';
import { beforeAll, describe, expect, test } from 'vitest';
import { openTestApi, type TestApi } from '../../test/support/api.ts';
import { serverOf } from '../../test/support/bare-server.ts';
import { maxErrors } from './error-bounds.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openTestApi();
});

const times = (count: number, each: (number: number) => string) =>
  Array.from({ length: count }, (_, number) => each(number)).join(' ');

describe('errors', () => {
  test('of variables, of which each is wrong', async () => {
    const query = 'mutation ($in: [SubmitReportInput!]!) { submitReports(inputs: $in) { error { code } } }';
    const { errors } = await api.ask(query, { in: Array(20_000).fill(1) });
    expect(errors).toHaveLength(50);
    expect(errors?.[49]?.extensions).toEqual({ code: 'BAD_USER_INPUT', path: ['inputs', 49] });
  });

  test('as many as are told, and more', async () => {
    const query = (count: number) =>
      `{ ${times(count, (number) => `h${number}: host(id: "0198f3a0-0000-7000-8000-00000000000x") { id }`)} }`;
    const { errors } = await api.ask(query(50));
    expect(errors).toHaveLength(50);
    const server = failing(maxErrors + 1);
    const { errors: told } = await (await server.fetch('http://api.test/graphql?query={items{id}}')).json();
    expect(told).toHaveLength(maxErrors + 1);
    expect(told.at(-2)).toMatchObject({ message: 'wrong', path: ['items', 99, 'id'] });
    expect(told.at(-1)).toEqual({
      message: 'and 1 more errors, which are not told: correct these first',
      extensions: { code: 'TOO_MANY_ERRORS', errors: 101 },
    });
    const { errors: all } = await (
      await failing(maxErrors).fetch('http://api.test/graphql?query={items{id}}')
    ).json();
    expect(all).toHaveLength(maxErrors);
    expect(all.at(-1).message).toBe('wrong');
  });

  test('a message is cut where it repeats what was sent', async () => {
    const { errors } = await api.ask('query ($id: UUID!) { host(id: $id) { id } }', {
      id: 'z'.repeat(400_000),
    });
    expect(errors?.[0]?.message).toMatch(/^id: .*zzz… \(400\d\d\d characters\)$/);
  });
});

/** A server each of whose items fails. */
function failing(items: number) {
  const schema = parseSchema('type Query { items: [Item] } type Item { id: String }');
  const { items: field } = schema.getQueryType()?.getFields() ?? {};
  if (field) field.resolve = () => Array(items).fill({ id: () => Promise.reject(new GraphQLError('wrong')) });
  return serverOf(schema);
}
