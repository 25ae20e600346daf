import { pino } from 'pino';
import { v7 as uuidV7 } from 'uuid';
import { expect, test } from 'vitest';
import { apiLog } from '../../test/support/api-log.ts';
import { memoryBucket } from '../../test/support/memory-bucket.ts';
import { hostId } from '../../test/support/reports.ts';
import type { ListOptions } from '../bucket/bucket.ts';
import { Failure } from '../failure.ts';
import { identityOfCredential } from './credential.ts';
import { openCredentials } from './credentials.ts';
import { toDraft } from './draft.ts';
import { enrol } from './enrol.ts';

const silent = pino({ enabled: false });
const start = Date.parse('2026-05-01T10:00:00Z');

/** Nodes on one bucket, with one clock that the test moves. */
function makeNodes() {
  const bucket = memoryBucket();
  const clock = { now: start };
  const node = (aheadMs = 0) => openCredentials({ bucket, logger: silent, now: () => clock.now + aheadMs });
  return { bucket, clock, node };
}

const token = (overrides = {}) =>
  toDraft(
    {
      ...{ name: 'ops', kind: 'token' as const, scopes: ['read'], hostId: null, labels: null },
      ...{ expiresAt: null, uses: null, createdBy: null },
      ...overrides,
    },
    start,
  );

test('a secret is known by its hash, and lies nowhere', async () => {
  const { bucket, node } = makeNodes();
  const credentials = node();
  const { credential, secret } = await credentials.create(
    token({ name: 'dashboard', labels: { team: 'a' } }),
  );
  expect(secret).toMatch(/^osi_t_[\w-]{43}$/);
  const found = await credentials.find(secret);
  expect(found).toEqual({ credential, state: 'valid' });
  expect(identityOfCredential(credential)).toEqual({
    kind: 'token',
    id: credential.id,
    name: 'dashboard',
    scopes: new Set(['read']),
    narrowedTo: { hostId: null, labels: { team: 'a' } },
  });
  const all = [...bucket.objects].map(([key, body]) => key + Buffer.from(body)).join();
  expect(all).not.toContain(secret.slice(6));
  for (const wrong of [
    '',
    'osi_t_',
    `${secret}x`,
    secret.replace('osi_t_', 'osi_h_'),
    `osi_t_${'A'.repeat(43)}`,
  ]) {
    expect(await credentials.find(wrong)).toBeNull();
  }
});

test('another node knows a new one at once, and a revoked one when it looks next', async () => {
  const { clock, node } = makeNodes();
  const [here, there] = [node(), node()];
  await there.load();
  clock.now += 2_000;
  const { credential, secret } = await here.create(token());
  expect((await there.find(secret))?.state).toBe('valid');
  expect(await here.revoke(credential.id, null)).toBe(true);
  expect((await here.find(secret))?.state).toBe('revoked');
  // A node that starts has it as well.
  const later = node();
  await later.load();
  expect((await later.find(secret))?.state).toBe('revoked');
  expect(await here.revoke(uuidV7(), null)).toBe(false);
});

test('secrets that nobody made share one list, and what was made before they came is found', async () => {
  const { bucket, clock, node } = makeNodes();
  let lists = 0;
  const counted = {
    ...bucket,
    list(options: ListOptions) {
      lists += 1;
      return bucket.list(options);
    },
  };
  const credentials = openCredentials({ bucket: counted, logger: silent, now: () => clock.now });
  await credentials.load();
  const { secret } = await node().create(token());
  const madeUp = Array.from({ length: 50 }, (_, count) => `osi_t_${String(count).padStart(43, 'A')}`);
  const found = await Promise.all([...madeUp, secret].map((one) => credentials.find(one)));
  expect(found.map((one) => one?.state)).toEqual([...madeUp.map(() => undefined), 'valid']);
  expect(lists).toBe(2);
});

test('one that has expired is refused from that moment on', async () => {
  const { clock, node } = makeNodes();
  const credentials = node();
  const { secret } = await credentials.create(token({ expiresAt: start + 1_000 }));
  clock.now += 999;
  expect((await credentials.find(secret))?.state).toBe('valid');
  clock.now += 1;
  expect((await credentials.find(secret))?.state).toBe('expired');
});

test('what happens on a node whose clock is behind is followed all the same', async () => {
  const { clock, node } = makeNodes();
  const [here, behind] = [node(), node(-5 * 60_000)];
  await here.load();
  await here.create(token());
  // It knows nothing of that one, and so puts under a key that comes before it.
  const { secret } = await behind.create(token());
  clock.now += 2_000;
  expect((await here.find(secret))?.state).toBe('valid');
});

test('one that was revoked stays so where the object cannot be read, and what is damaged opens nothing', async () => {
  const { bucket, node } = makeNodes();
  const credentials = node();
  const kept = await credentials.create(token({ name: 'kept' }));
  const gone = await credentials.create(token({ name: 'gone' }));
  const damaged = await credentials.create(token({ name: 'damaged' }));
  await credentials.revoke(gone.credential.id, null);
  for (const key of bucket.objects.keys()) {
    if (key.includes('revoked') || key.includes(damaged.credential.id))
      bucket.objects.set(key, Buffer.from('{'));
  }
  await bucket.put('auth/notes.txt', Buffer.from('mine'));
  const log = apiLog();
  const next = openCredentials({ bucket, logger: log.logger });
  await next.load();
  expect((await next.find(kept.secret))?.state).toBe('valid');
  expect((await next.find(gone.secret))?.state).toBe('revoked');
  expect(await next.find(damaged.secret)).toBeNull();
  expect(log.lines().map(({ msg }) => msg)).toEqual(
    expect.arrayContaining(['not a credential: left alone', 'credential cannot be read']),
  );
});

test('a narrowing that was lost is no credential, rather than one for all hosts', async () => {
  const { bucket, node } = makeNodes();
  const { secret } = await node().create(token({ labels: { team: 'a' } }));
  for (const [key, body] of bucket.objects) {
    bucket.objects.set(key, Buffer.from(Buffer.from(body).toString().replace('{"team":"a"}', '{}')));
  }
  const next = node();
  await next.load();
  expect(await next.find(secret)).toBeNull();
});

const enrolment = (uses: number | null, host: string | null = null) =>
  token({ name: 'new hosts', kind: 'enrolment', scopes: [], uses, hostId: host });

test('a host that enrols again has one credential, and it is the newest', async () => {
  const { clock, node } = makeNodes();
  const credentials = node();
  const { credential } = await credentials.create(enrolment(null));
  const by = identityOfCredential(credential);
  const first = await enrol(credentials, by, { id: hostId(1), name: 'web-1' });
  clock.now += 1;
  const second = await enrol(credentials, by, { id: hostId(1).toUpperCase(), name: 'web-1' });
  expect((await credentials.find(first.secret))?.state).toBe('replaced');
  const found = await credentials.find(second.secret);
  expect(found).toMatchObject({
    state: 'valid',
    credential: { kind: 'host', scopes: ['submit'], narrowedTo: { hostId: hostId(1), labels: null } },
  });
  // Ended by hand, the one before it does not come back.
  await credentials.revoke(second.credentialId, null);
  expect((await credentials.find(first.secret))?.state).toBe('replaced');
});

test('as many hosts enrol as there are uses, and a secret of one host is for that one', async () => {
  const { node } = makeNodes();
  const credentials = node();
  const twice = identityOfCredential((await credentials.create(enrolment(2))).credential);
  await enrol(credentials, twice, { id: hostId(1), name: 'a' });
  await enrol(credentials, twice, { id: hostId(2), name: 'b' });
  await expect(enrol(credentials, twice, { id: hostId(3), name: 'c' })).rejects.toThrow(
    'as often as it may be',
  );
  const own = identityOfCredential((await credentials.create(enrolment(null, hostId(4)))).credential);
  await expect(enrol(credentials, own, { id: hostId(3), name: 'c' })).rejects.toThrow('for another host');
  await enrol(credentials, own, { id: hostId(4), name: 'd' });
});

test('of nodes that hand out the last use in one moment, one host keeps its credential: the same one everywhere', async () => {
  const { clock, node } = makeNodes();
  const nodes = Array.from({ length: 5 }, () => node());
  const { credential } = await (nodes[0] as ReturnType<typeof node>).create(enrolment(1));
  await Promise.all(nodes.map((one) => one.load()));
  const by = identityOfCredential(credential);
  const answers = await Promise.allSettled(
    nodes.map((one, number) => enrol(one, by, { id: hostId(number), name: 'x' })),
  );
  const given = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value.secret] : []));
  for (const answer of answers) {
    if (answer.status === 'rejected') expect(answer.reason).toBeInstanceOf(Failure);
  }
  clock.now += 10_000;
  const good = await Promise.all(
    [...nodes, node()].map(async (one) => {
      await one.load();
      const states = await Promise.all(given.map(async (secret) => (await one.find(secret))?.state));
      return given.filter((_, number) => states[number] === 'valid');
    }),
  );
  expect(good[0]).toHaveLength(1);
  expect(new Set(good.map(String)).size).toBe(1);
});

test('a bucket that does not take it makes no credential', async () => {
  const { bucket } = makeNodes();
  const full = { ...bucket, put: () => Promise.reject(new Failure('UNAVAILABLE', 'full')) };
  const credentials = openCredentials({ bucket: full, logger: silent });
  await expect(credentials.create(token())).rejects.toThrow('full');
  expect(credentials.list()).toEqual([]);
});
