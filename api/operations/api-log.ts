/** api-log: the log of the API: a line of JSON each, with the request that it is about. */
import { type DestinationStream, type Logger, pino } from 'pino';
import type { OperationSettings } from '../settings/operations.ts';
import { requestId } from './request-id.ts';

/** A second line of defence: nothing here logs headers, but a library's error may hold those of its request. */
const secretPaths = ['authorization', 'cookie', 'password', 'secret', 'token'].flatMap((name) =>
  ['', '*.', '*.*.', '*.*.*.'].map((before) => `${before}headers.${name}`),
);

export type ApiLogOptions = {
  /** What else is in every line. */
  fields?: () => Record<string, string>;
  /** @default the standard output */
  to?: DestinationStream;
};

export function openApiLog(
  level: OperationSettings['logLevel'],
  { fields = () => ({}), to }: ApiLogOptions = {},
): Logger {
  const options = {
    level,
    redact: { paths: secretPaths, censor: '[hidden]' },
    mixin() {
      const id = requestId();
      return { ...(id === undefined ? {} : { requestId: id }), ...fields() };
    },
  };
  return to ? pino(options, to) : pino(options);
}
