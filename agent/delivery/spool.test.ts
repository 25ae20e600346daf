import { mkdir, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { agentReport, agentResult } from '../../test/support/agent-reports.ts';
import { testIf } from '../../test/support/needs.ts';
import { seededRandom } from '../../test/support/noise.ts';
import { type RecordingLog, recordingLog } from '../../test/support/recording-log.ts';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import { canMountSmallDisk, mountSmallDisk, smallDiskNeeded } from '../../test/support/tmpfs.ts';
import { openSpool, type Spool, type SpoolBounds } from './spool.ts';

const start = Date.parse('2026-05-01T10:00:00Z');
const minute = 60_000;

type Opened = { spool: Spool; log: RecordingLog; folder: string; at(ms: number): void };

async function open(bounds: Partial<SpoolBounds> = {}, state?: string): Promise<Opened> {
  const stateFolder = state ?? (await temporaryFolder());
  const log = recordingLog();
  let time = start;
  const spool = openSpool({
    stateFolder,
    bounds: { maxBytes: 2 ** 20, maxAgeMs: 60 * minute, ...bounds },
    log,
    now: () => time,
  });
  return {
    spool,
    log,
    folder: stateFolder,
    at: (ms) => {
      time = ms;
    },
  };
}

/** Reports of consecutive minutes, some kilobytes each, which do not compress. */
function reports(count: number, from = 0): ReturnType<typeof agentReport>[] {
  const random = seededRandom(from + 1);
  return Array.from({ length: count }, (_, number) => {
    const noise = Array.from({ length: 1_000 }, () => Math.floor(random() * 1e9));
    return agentReport(start + (from + number) * minute, [agentResult('noise', { noise })]);
  });
}

/** How many wait, and how many they say were dropped. */
async function countOf(spool: Spool): Promise<{ waiting: number; told: number }> {
  const kept = await Promise.all((await spool.waiting()).map((id) => spool.read(id)));
  const told = kept.reduce((sum, entry) => sum + (entry?.report.droppedReports ?? 0), 0);
  return { waiting: kept.length, told };
}

const messages = ({ lines }: RecordingLog) => lines.map(({ level, message }) => `${level} ${message}`);

test('a report is kept for its owner alone until it is removed, over a restart as well', async () => {
  const { spool, folder, log } = await open();
  const [first, second] = reports(2);
  if (!first || !second) throw new Error('no reports');
  await spool.add(second);
  await spool.add(first);
  expect(await spool.waiting()).toEqual([first.id, second.id]);
  const path = join(folder, 'spool', `${first.id}.report`);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await stat(join(folder, 'spool'))).mode & 0o777).toBe(0o700);

  const { spool: next } = await open({}, folder);
  expect((await next.read(first.id))?.report).toEqual(first);
  await next.remove(first.id);
  expect(await next.waiting()).toEqual([second.id]);
  expect(await spool.waiting()).toEqual([second.id]);
  expect(await spool.read(first.id)).toBeNull();
  // Another process was first.
  await spool.remove(first.id);
  expect(log.lines).toEqual([]);
});

describe('bounds', () => {
  test('the oldest are dropped for new ones, and the next report says how many', async () => {
    const { spool, log, folder } = await open({ maxBytes: 20_000 });
    for (const report of reports(12)) await spool.add(report);
    const ids = await spool.waiting();
    const sizes = await Promise.all(ids.map((id) => stat(join(folder, 'spool', `${id}.report`))));
    expect(sizes.reduce((sum, { size }) => sum + size, 0)).toBeLessThanOrEqual(20_000);
    expect((await spool.read(ids.at(-1) ?? ''))?.report.collectedAt).toBe('2026-05-01T10:11:00.000Z');
    // What a dropped report carried is carried on: none is forgotten.
    const { waiting, told } = await countOf(spool);
    expect(waiting + told).toBe(12);
    expect(told).toBeGreaterThan(5);
    expect(new Set(messages(log))).toEqual(new Set(['warn reports dropped: the spool is full']));
  });

  test('the newest is kept even if it alone is beyond them', async () => {
    const { spool } = await open({ maxBytes: 100 });
    for (const report of reports(3)) await spool.add(report);
    const [id = '', ...others] = await spool.waiting();
    expect(others).toEqual([]);
    expect((await spool.read(id))?.report.droppedReports).toBe(2);
  });

  test('what is too old is dropped', async () => {
    const { spool, log, at } = await open({ maxAgeMs: 10 * minute });
    const [first, second, third] = reports(3);
    if (!first || !second || !third) throw new Error('no reports');
    await spool.add(first);
    await spool.add(second);
    at(start + 10 * minute + 1);
    expect(await spool.waiting()).toEqual([second.id]);
    expect((await spool.add(third)).droppedReports).toBe(1);
    expect(messages(log)).toEqual(['warn reports dropped: they waited for too long']);
  });

  test('of two processes that drop the same, one counts it', async () => {
    const { spool, folder } = await open({ maxBytes: 12_000 });
    const { spool: other } = await open({ maxBytes: 12_000 }, folder);
    const all = reports(20);
    const [beforeLast, last] = reports(2, 20);
    if (!beforeLast || !last) throw new Error('no reports');
    for (let number = 0; number < all.length; number += 2) {
      await Promise.all(
        all.slice(number, number + 2).map((report, index) => (index === 0 ? spool : other).add(report)),
      );
    }
    // Each tells what it has counted until now.
    await spool.add(beforeLast);
    await other.add(last);
    const { waiting, told } = await countOf(spool);
    expect(waiting + told).toBe(22);
    expect(told).toBeGreaterThan(15);
  });
});

test('a damaged report is set aside with a line, counted, and holds up no other', async () => {
  const { spool, folder, log } = await open();
  const [first, second, third] = reports(3);
  if (!first || !second || !third) throw new Error('no reports');
  await spool.add(first);
  await spool.add(second);
  await truncate(join(folder, 'spool', `${first.id}.report`), 200);
  expect(await spool.read(first.id)).toBeNull();
  expect(await spool.waiting()).toEqual([second.id]);
  expect(log.lines).toMatchObject([
    { level: 'error', message: 'a damaged report was set aside', fields: { reportId: first.id } },
  ]);
  expect(await readdir(join(folder, 'spool/damaged'))).toEqual([`${first.id}.report`]);
  expect((await spool.add(third)).droppedReports).toBe(1);
});

test('files of others are left alone, and those of a process that died are removed in time', async () => {
  const { spool, folder } = await open();
  await mkdir(join(folder, 'spool'));
  const [report] = reports(1);
  const old = join(folder, 'spool', `${report?.id}.report.1.tmp`);
  const recent = join(folder, 'spool', `${report?.id}.report.2.tmp`);
  for (const path of [old, recent, join(folder, 'spool/notes.txt')]) await writeFile(path, 'x');
  await utimes(old, 1, 1);
  expect(await spool.waiting()).toEqual([]);
  expect((await readdir(join(folder, 'spool'))).toSorted()).toEqual([
    `${report?.id}.report.2.tmp`,
    'notes.txt',
  ]);
});

describe('a disk that cannot be written', () => {
  test('reports are kept in memory with one warning, and written when it can be again', async () => {
    const { spool, folder, log } = await open();
    // No folder can be made where a file is: for root as for others.
    await writeFile(join(folder, 'spool'), '');
    const [first, second, third] = reports(3);
    if (!first || !second || !third) throw new Error('no reports');
    await spool.add(first);
    await spool.add(second);
    expect(await spool.waiting()).toEqual([first.id, second.id]);
    expect((await spool.read(second.id))?.report).toEqual(second);
    expect(messages(log)).toEqual(['warn the spool cannot be used: reports are kept in memory until it can']);
    await spool.remove(second.id);
    await rm(join(folder, 'spool'));
    await spool.add(third);
    expect((await readdir(join(folder, 'spool'))).toSorted()).toEqual(
      [first, third].map(({ id }) => `${id}.report`),
    );
    expect(messages(log).slice(1)).toEqual(['info the spool can be used again']);
    expect(log.lines.at(-1)?.fields).toMatchObject({ reports: 1 });
  });

  test('memory is bounded as well, and what is dropped is counted', async () => {
    const { spool, folder, log } = await open({ maxBytes: 20_000 });
    await writeFile(join(folder, 'spool'), '');
    for (const report of reports(12)) await spool.add(report);
    const ids = await spool.waiting();
    expect(ids.length).toBeLessThan(7);
    await rm(join(folder, 'spool'));
    for (const report of reports(2, 12)) await spool.add(report);
    const { waiting, told } = await countOf(spool);
    expect(waiting + told).toBe(14);
    expect(messages(log)).toContain('warn reports dropped: the memory for reports is full');
  });

  testIf(canMountSmallDisk(), smallDiskNeeded, 'a full disk is no more than that', async () => {
    const disk = await mountSmallDisk(512);
    const { spool, log } = await open({}, disk.folder);
    const [first, second, third] = reports(3);
    if (!first || !second || !third) throw new Error('no reports');
    await spool.add(first);
    await disk.fill();
    await spool.add(second);
    expect(log.lines).toMatchObject([
      { level: 'warn', fields: { cause: expect.stringContaining('ENOSPC') } },
    ]);
    expect(await spool.waiting()).toEqual([first.id, second.id]);
    await disk.makeRoom();
    await spool.add(third);
    const { spool: next } = await open({}, disk.folder);
    const kept = await Promise.all((await next.waiting()).map((id) => next.read(id)));
    expect(kept.map((entry) => entry?.report)).toEqual([first, second, third]);
  });
});

test('a report that is refused is a dead letter with the reason, and the oldest of too many go', async () => {
  const { spool, folder } = await open();
  const all = Array.from({ length: 102 }, (_, number) => agentReport(start + number));
  const [first, second] = all;
  if (!first || !second) throw new Error('no reports');
  await spool.add(first);
  const path = join(folder, 'dead-letter', `${first.id}.json`);
  expect(await spool.refuse(first, 'host.name: must not be empty')).toBe(path);
  expect(await spool.waiting()).toEqual([]);
  expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({
    refusedAt: '2026-05-01T10:00:00.000Z',
    reason: 'host.name: must not be empty',
    report: first,
  });
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await spool.add(second)).droppedReports).toBe(1);
  for (const report of all.slice(1)) await spool.refuse(report, 'no');
  const letters = (await readdir(join(folder, 'dead-letter'))).toSorted();
  expect(letters).toEqual(all.slice(2).map(({ id }) => `${id}.json`));
});
