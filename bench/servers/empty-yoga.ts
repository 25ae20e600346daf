/** empty-yoga: our own schema's mutation under GraphQL Yoga, with nothing behind it. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildSchema } from 'graphql';
import { createYoga } from 'graphql-yoga';

const schema = buildSchema(`
  scalar JSON
  type Query { nothing: Int }
  input Host { id: ID! name: String! }
  input Result { plugin: String! status: String! durationMs: Float facts: JSON readings: JSON }
  input SubmitReportInput { id: ID host: Host! collectedAt: String! results: [Result!]! }
  type Report { id: ID! }
  type Payload { duplicate: Boolean! report: Report! }
  type Mutation { submitReport(input: SubmitReportInput!): Payload! }
`);
const payload = { duplicate: false, report: { id: '' } };
const mutation = schema.getMutationType()?.getFields().submitReport;
if (mutation) mutation.resolve = () => payload;

const server = createServer(createYoga({ schema, logging: false }));
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  console.log(JSON.stringify({ url: `http://127.0.0.1:${port}/graphql` }));
});
