/** mutation-server: our own schema's mutation under GraphQL Yoga, with whatever a benchmark puts behind it. */
import { createServer } from 'node:http';
import { buildSchema } from 'graphql';
import { createYoga } from 'graphql-yoga';
import { listen } from './listen.ts';

export type Input = { id: string; collectedAt: string };

/** @param take awaited before a report is acknowledged */
export function serveMutation(take: (input: Input) => Promise<void> | void): void {
  const schema = buildSchema(/* GraphQL */ `
    scalar JSON
    type Query { nothing: Int }
    input Host { id: ID! name: String! labels: JSON }
    input Result {
      plugin: String! version: Int status: String! durationMs: Float facts: JSON readings: JSON error: String
    }
    input SubmitReportInput {
      id: ID host: Host! agentVersion: String intervalSeconds: Float collectedAt: String! results: [Result!]!
    }
    type Report { id: ID! }
    type Payload { duplicate: Boolean! report: Report! }
    type Mutation { submitReport(input: SubmitReportInput!): Payload! }
  `);
  const mutation = schema.getMutationType()?.getFields().submitReport;
  if (!mutation) throw new Error('the schema above has this mutation');
  mutation.resolve = async (_root, { input }: { input: Input }) => {
    await take(input);
    return { duplicate: false, report: { id: input.id } };
  };
  listen(createServer(createYoga({ schema, logging: false })));
}
