import { expect, test } from 'vitest';
import { factSetHash } from '../../plugins/fact-set.ts';
import { agentReport, agentResult } from '../../test/support/agent-reports.ts';
import { createDelta } from './delta.ts';

const long = 'x'.repeat(100);
const os = (kernel: string) => agentResult('os', { kernel, long });
const cpu = agentResult('cpu', { model: 'EPYC', long });
const report = (...results: Parameters<typeof agentReport>[1] & object) => agentReport(1_000, results);

test('the first report is whole; then what was acknowledged travels as its hash, with its readings', () => {
  const delta = createDelta();
  const first = report(os('6.1.0'), cpu);
  expect(delta.shorten(first)).toBe(first);
  // Sent, but not acknowledged.
  expect(delta.shorten(first)).toBe(first);
  delta.acknowledged(first);
  const second = report(os('6.1.9'), cpu);
  const { facts: _, ...rest } = cpu;
  expect(delta.shorten(second)).toEqual({
    ...second,
    results: [os('6.1.9'), { ...rest, factsHash: factSetHash('cpu', cpu.facts) }],
  });
});

test('facts are the same whatever the order of their keys, and not those of another plugin', () => {
  const delta = createDelta();
  delta.acknowledged(report(agentResult('a', { long, b: 1 })));
  const hash = factSetHash('a', { b: 1, long });
  expect(delta.shorten(report(agentResult('a', { b: 1, long }))).results).toMatchObject([
    { factsHash: hash },
  ]);
  const other = report(agentResult('b', { long, b: 1 }));
  expect(delta.shorten(other)).toBe(other);
});

test('what the API no longer has is whole until it is acknowledged again', () => {
  const delta = createDelta();
  const same = report(os('6.1.0'));
  delta.acknowledged(same);
  delta.forget(same);
  expect(delta.shorten(same)).toBe(same);
  delta.acknowledged(same);
  expect(delta.shorten(same)).not.toBe(same);
  delta.end();
  delta.acknowledged(same);
  expect(delta.shorten(same)).toBe(same);
});

test('a backlog that tells of before and after a change finds both known', () => {
  const delta = createDelta();
  delta.acknowledged(report(os('6.1.9')));
  delta.acknowledged(report(os('6.1.0')));
  for (const kernel of ['6.1.9', '6.1.0']) {
    expect(delta.shorten(report(os(kernel))).results).not.toHaveProperty('0.facts');
  }
});

test.each([
  ['no facts', { ...cpu, facts: null }],
  ['facts shorter than a hash', agentResult('rack', { row: 7 })],
  ['half a character, which is not stored as it is', agentResult('os', { long, cut: 'x\ud83d' })],
])('%s: it travels as it is', (_what, result) => {
  const delta = createDelta();
  const same = report(result);
  delta.acknowledged(same);
  expect(delta.shorten(same)).toBe(same);
});

test('thousands of facts that are the same object are looked at once', () => {
  const delta = createDelta();
  let looks = 0;
  const packages = {
    get names() {
      looks += 1;
      return [long];
    },
  };
  const same = report(agentResult('packages', packages));
  delta.acknowledged(same);
  const looked = looks;
  expect(delta.shorten(report(agentResult('packages', packages)))).toMatchObject({
    results: [{ factsHash: factSetHash('packages', { names: [long] }) }],
  });
  expect(looks).toBe(looked);
  expect(delta.shorten(report(agentResult('other', packages)))).toHaveProperty('results.0.facts');
});
