import { expect, test } from 'vitest';
import { loadBuiltinPlugins } from '../plugins/index.ts';
import { agentResult } from '../test/support/agent-reports.ts';
import { createRedact, redactWarnings } from './redact.ts';

const network = agentResult('network', {
  primaryAddress: '10.0.0.1',
  interfaces: [
    { name: 'eth0', mac: '02:00:00:00:00:01', addresses: [{ address: '10.0.0.1', family: 'ipv4' }] },
    { name: 'eth1', mac: null, addresses: [] },
  ],
});
const user = agentResult('user', { name: 'alice', uid: 1000 });
const failed = { ...user, status: 'ERROR' as const, facts: null, readings: null, error: 'no' };

test.each([
  [['network.interfaces.mac'], { interfaces: [{ name: 'eth0', mac: null }, { mac: null }] }],
  [
    ['network.interfaces.addresses.address'],
    { interfaces: [{ addresses: [{ address: null, family: 'ipv4' }] }, { addresses: [] }] },
  ],
  [['network.interfaces', 'network.primaryAddress'], { interfaces: null, primaryAddress: null }],
  [['network.interfaces.*'], { interfaces: [{ name: null, mac: null, addresses: null }, {}] }],
  [['network.*'], { interfaces: null, primaryAddress: null }],
  [['network'], { interfaces: null, primaryAddress: null }],
  [['network.gone', 'network.primaryAddress.inside'], { primaryAddress: '10.0.0.1' }],
])('%j', (paths, facts) => {
  const [cleaned, other] = createRedact(paths)([network, user]);
  expect(cleaned).toMatchObject({ status: 'OK', facts });
  expect(other).toBe(user);
});

test('readings go as facts do, and what failed stays as it is', () => {
  const [cleaned, left] = createRedact(['user.load1', 'user.uid'])([user, failed]);
  expect(cleaned).toMatchObject({ facts: { name: 'alice', uid: null }, readings: { load1: null } });
  expect(left).toEqual(failed);
  expect(createRedact(['user'])([user])[0]).toMatchObject({ readings: { load1: null } });
});

test('what is reported again is the same object, and what was collected is not changed', () => {
  const redact = createRedact(['network.interfaces.mac']);
  const before = JSON.stringify(network);
  expect(redact([network])[0]?.facts).toBe(redact([network])[0]?.facts);
  expect(JSON.stringify(network)).toBe(before);
});

test('a path that leads nowhere is a warning with the nearest that does', async () => {
  const plugins = await loadBuiltinPlugins();
  const command = { name: 'rack', version: 1, description: 'A command', facts: {} };
  const right = ['network', 'network.*', 'network.interfaces.mac', 'os.uptimeSeconds', 'rack.any.thing'];
  expect(redactWarnings(right, [...plugins, command])).toEqual([]);
  expect(redactWarnings(['network.interfaces.macs', 'netwrok', 'user.name.first', 'os.*'], plugins)).toEqual([
    'network.interfaces.macs takes nothing out: no fact or reading "macs" is there, did you mean "mac"?',
    'netwrok takes nothing out: no plugin "netwrok" is there, did you mean "network"?',
    'user.name.first takes nothing out: name has nothing in it',
  ]);
});
