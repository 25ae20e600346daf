/** The table of limits says what the code does. */
import { expect, test } from 'vitest';
import { maxElements, maxJsonLength } from '../api/answer-size.ts';
import { maxUnpackings } from '../api/bounded-body.ts';
import { maxTokens, maxVariableErrors } from '../api/error-codes.ts';
import { maxExports } from '../api/export/exports.ts';
import { maxJsonDepth } from '../api/json-depth.ts';
import { documentBounds } from '../api/limits/document-bounds.ts';
import { maxErrors, maxMessageLength } from '../api/limits/error-bounds.ts';
import { maxHeldBodyBytes } from '../api/limits/in-flight.ts';
import { failedCredentials } from '../api/limits/limits.ts';
import { maxQueryVariables, maxVariableDepth } from '../api/limits/variable-bounds.ts';
import { maxSubscribers } from '../api/live/live.ts';
import { maxCost, maxDepth } from '../api/query-cost.ts';
import { maxBodyBytes } from '../api/read-body.ts';
import { maxListLength, maxRangeLength } from '../api/schema/comparison.ts';
import { maxPathLength } from '../api/schema/fact-path.ts';
import { maxConditions, maxFilterDepth, maxFilterParts, maxTextLength } from '../api/schema/filter-bounds.ts';
import { maxInputs } from '../api/schema/submit-report.ts';
import { settingDefaults } from '../api/settings.ts';
import { tableOf } from './support/documents.ts';

const bounds: Record<string, number | string> = {
  'bytes of a body, unpacked': maxBodyBytes,
  'compressed bodies unpacked at once': maxUnpackings,
  'operations in one request': 1,
  'tokens of a document': maxTokens,
  'characters of a document': documentBounds.characters.most,
  'operations in a document': documentBounds.operations.most,
  'fields, each time that its fragment is spread': documentBounds.fields.most,
  'fields of the root, likewise': documentBounds.rootFields.most,
  'aliases, likewise': documentBounds.aliases.most,
  'directives, likewise': documentBounds.directives.most,
  '__schema and __type, likewise': documentBounds.introspections.most,
  'aliases within these': documentBounds.introspectionAliases.most,
  // Of graphql itself: held by a test of each (api/limits/bounds.test.ts).
  'lists in lists of the schema': 3,
  '@defer, @stream': 'none',
  'depth of a query': maxDepth,
  'cost of a query': maxCost,
  'characters in the variables of a query': maxQueryVariables,
  'depth of these, and of facts and readings': maxJsonDepth,
  'characters of a text in a filter': maxTextLength,
  'characters of a range of versions': maxRangeLength,
  'characters of the path of a fact': maxPathLength,
  'depth of a filter': maxFilterDepth,
  'parts of an and or or': maxFilterParts,
  'conditions of a filter': maxConditions,
  'values of an in': maxListLength,
  'reports in submitReports': maxInputs,
  'elements of lists in an answer': maxElements,
  'bytes of JSON in an answer': maxJsonLength,
  'errors in an answer': maxErrors,
  'errors of variables': maxVariableErrors,
  'characters of a message': maxMessageLength,
  'time of the index for a query': settingDefaults.QUERY_TIMEOUT,
  'exports at once': maxExports,
  'subscriptions at once': maxSubscribers,
  'operations of one identity': settingDefaults.OPERATION_LIMIT,
  'reports of one identity': settingDefaults.REPORT_LIMIT,
  'requests from one address': settingDefaults.ADDRESS_LIMIT,
  'wrong credentials from one address, in a minute': failedCredentials.most,
  'requests worked on at once': settingDefaults.MAX_IN_FLIGHT,
  'bytes of their bodies': maxHeldBodyBytes,
};

test('each bound of the table is the one that holds, and none is left out', () => {
  expect(maxVariableDepth).toBe(maxJsonDepth);
  const rows = tableOf('docs/security.md', 'Bound').map(([bound, most]) => [bound, most]);
  const told = Object.entries(bounds).map(([bound, most]) => [
    bound,
    typeof most === 'number' ? most.toLocaleString('en-US') : most,
  ]);
  expect(rows).toEqual(told);
});
