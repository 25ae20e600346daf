import { expect, test } from 'vitest';
import { agentReport, agentResult } from '../../test/support/agent-reports.ts';
import { recordingLog } from '../../test/support/recording-log.ts';
import {
  type Answer,
  acknowledge,
  type ReceivedRequest,
  respond,
  startStubApi,
} from '../../test/support/stub-api.ts';
import { fixedToken } from '../access/credentials.ts';
import type { WireReport } from '../report.ts';
import { connect } from '../submit.ts';
import { SubmitError } from '../submit-error.ts';
import { createSender, type Outcome } from './send.ts';

const running = new AbortController().signal;
const os = agentResult('os', { kernel: '6.1.90', long: 'x'.repeat(100) });
const reports = (count: number) => Array.from({ length: count }, (_, number) => agentReport(number, [os]));

async function senderTo(answer?: Answer) {
  const api = await startStubApi(answer);
  const log = recordingLog();
  return {
    api,
    log,
    sender: createSender({ api: connect({ url: api.url, credentials: fixedToken(null) }), log }),
  };
}

const told = (outcomes: Outcome[]) =>
  outcomes.map(({ outcome }) => (outcome instanceof SubmitError ? outcome.code : outcome.reportId));
const inputsOf = ({ variables }: ReceivedRequest): WireReport[] => variables.inputs ?? [variables.input];
const isShort = (report: WireReport) => report.results.some((result) => 'factsHash' in result);
const error = (code: string, more = {}) => ({ errors: [{ message: 'no', extensions: { code, ...more } }] });

/** Answers each report of a request by itself. */
const each =
  (code: (report: WireReport) => string | null): Answer =>
  (request, response) => {
    const answers = inputsOf(request).map((report) => ({ report, code: code(report) }));
    if (request.variables.input) {
      const refused = answers[0]?.code;
      return refused ? respond(response, 200, error(refused)) : acknowledge(request, response);
    }
    const submitReports = answers.map(({ report, code }) =>
      code
        ? { payload: null, error: { code, message: 'no', path: ['inputs', '0'], retryAfterSeconds: 7 } }
        : { payload: { duplicate: false, report: { id: report.id } }, error: null },
    );
    respond(response, 200, { data: { submitReports } });
  };

test('one is sent by itself, several in one request, and each is told what became of it', async () => {
  const [first, second, third] = reports(3) as [never, never, never];
  const { id } = second as { id: string };
  const { api, sender } = await senderTo(each((report) => (report.id === id ? 'BAD_USER_INPUT' : null)));
  const alone = agentReport(9, []);
  expect(told(await sender.send([alone], running))).toEqual([alone.id]);
  const outcomes = await sender.send([first, second, third], running);
  expect(told(outcomes)).toEqual([(first as { id: string }).id, 'INVALID', (third as { id: string }).id]);
  expect(outcomes[1]?.outcome).toMatchObject({
    message: expect.stringContaining('no (BAD_USER_INPUT at inputs.0)'),
  });
  expect(api.requests.map(inputsOf).map(({ length }) => length)).toEqual([1, 3]);
});

test('what was acknowledged goes as a hash, and whole when the API does not know it', async () => {
  let knows = true;
  const { api, sender } = await senderTo(
    each((report) => (isShort(report) && !knows ? 'FACTS_UNKNOWN' : null)),
  );
  const all = reports(6);
  const ids = all.map(({ id }) => id);
  await sender.send(all.slice(0, 1), running);
  await sender.send(all.slice(1, 2), running);
  knows = false;
  expect(told(await sender.send(all.slice(2, 3), running))).toEqual(ids.slice(2, 3));
  expect(told(await sender.send(all.slice(3, 6), running))).toEqual(ids.slice(3, 6));
  const shortness = api.requests.map((request) => inputsOf(request).map(isShort).join());
  expect(shortness).toEqual(['false', 'true', 'true', 'false', 'true,true,true', 'false,false,false']);
});

test('an inventory of many plugins and thousands of packages travels in less than 3 kB once it is known', async () => {
  const packages = Array.from({ length: 2_500 }, (_, number) => ({
    name: `package-${number}`,
    version: `1.${number}.0-2+deb12u1`,
    architecture: 'amd64',
  }));
  const results = [
    agentResult('packages', { packages }),
    ...Array.from({ length: 14 }, (_, number) => agentResult(`plugin${number}`, { text: 'x'.repeat(500) })),
  ];
  const { api, sender } = await senderTo();
  for (const at of [1, 2]) await sender.send([agentReport(at, results)], running);
  const [whole, short] = api.requests.map(({ headers }) => Number(headers['content-length']));
  expect(whole).toBeGreaterThan(10_000);
  expect(short).toBeLessThan(3_000);
});

test('an API that takes no hashes is sent none any more, once that is clear', async () => {
  const { api, sender, log } = await senderTo(each((report) => (isShort(report) ? 'BAD_USER_INPUT' : null)));
  for (const report of reports(4)) await sender.send([report], running);
  expect(api.requests.map((request) => isShort(inputsOf(request)[0] as WireReport))).toEqual([
    false,
    true,
    false,
    false,
    false,
  ]);
  expect(log.lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('takes no hashes') }]);
});

test.each([
  ['refused', (id: string) => each((report) => (report.id === id ? 'BAD_USER_INPUT' : null)), 'INVALID'],
  [
    'a fault of the API',
    (id: string) => each((report) => (report.id === id ? 'INTERNAL_SERVER_ERROR' : null)),
    'UNAVAILABLE',
  ],
])('a request for several that is %s as a whole is sent again one by one', async (_what, answerFor, code) => {
  const all = reports(3);
  const poison = all[1]?.id ?? '';
  const wholeCode = code === 'INVALID' ? 'BAD_USER_INPUT' : 'INTERNAL_SERVER_ERROR';
  const { api, sender } = await senderTo((request, response) =>
    request.variables.inputs
      ? respond(response, 200, error(wholeCode))
      : answerFor(poison)(request, response),
  );
  expect(told(await sender.send(all, running))).toEqual([all[0]?.id, code, all[2]?.id]);
  expect(api.requests).toHaveLength(4);
});

test('one that is too large for a proxy costs itself alone', async () => {
  const all = reports(3);
  const { sender } = await senderTo((request, response) => {
    const isTooLarge = inputsOf(request).some(({ id }) => id === all[2]?.id);
    if (isTooLarge) respond(response, 413, '');
    else acknowledge(request, response);
  });
  expect(told(await sender.send(all, running))).toEqual([all[0]?.id, all[1]?.id, 'INVALID']);
});

test('an API that is away is told as such, with when to try again', async () => {
  const { sender } = await senderTo((_, response) =>
    respond(response, 200, error('UNAVAILABLE', { retryAfter: 12 })),
  );
  for (const count of [1, 2]) {
    await expect(sender.send(reports(count), running)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      retryAfterMs: 12_000,
    });
  }
});

test.each(['UNAUTHENTICATED', 'RATE_LIMITED'])(
  '%s is of all reports, and one request tells it',
  async (code) => {
    const { api, sender } = await senderTo(each(() => code));
    await expect(sender.send(reports(1), running)).rejects.toMatchObject({ code });
    expect(told(await sender.send(reports(2), running))).toEqual([code, code]);
    const { api: strict, sender: toStrict } = await senderTo((_, response) =>
      respond(response, code === 'RATE_LIMITED' ? 429 : 401, error(code)),
    );
    await expect(toStrict.send(reports(3), running)).rejects.toMatchObject({ code });
    expect([api.requests.length, strict.requests.length]).toEqual([2, 1]);
  },
);

test.each([
  [401, 'UNAUTHENTICATED'],
  [403, 'FORBIDDEN'],
  [429, 'RATE_LIMITED'],
])('HTTP %i of a proxy with a page of its own is %s', async (status, code) => {
  const { sender } = await senderTo((_, response) => {
    response.setHeader('retry-after', '7');
    respond(response, status, '<p>no</p>');
  });
  await expect(sender.send(reports(2), running)).rejects.toMatchObject({ code, retryAfterMs: 7_000 });
});
