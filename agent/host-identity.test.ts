import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import { isSameMachine, readFingerprint } from './fingerprint.ts';
import { loadIdentity, StateError } from './host-identity.ts';

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

async function load(stateFolder: string, fingerprint: string[] = ['dmi:a', 'mac:b']) {
  const warnings: { message: string; fields: Record<string, unknown> }[] = [];
  const warn = (message: string, fields: Record<string, unknown>) => warnings.push({ message, fields });
  return { ...(await loadIdentity({ stateFolder, fingerprint, warn })), warnings };
}

const stored = async (folder: string) => JSON.parse(await readFile(join(folder, 'host.json'), 'utf8'));

test('an id is made once and kept, with nothing else left in the folder', async () => {
  const folder = join(await temporaryFolder(), 'deep', 'state');
  const first = await load(folder);
  expect(first.id).toMatch(uuid);
  expect(await load(folder)).toEqual({ id: first.id, clonedFrom: null, warnings: [] });
  expect(await stored(folder)).toEqual({ id: first.id, clonedFrom: null, fingerprint: ['dmi:a', 'mac:b'] });
  expect((await readdir(folder)).sort()).toEqual(['host.json', 'host.lock']);
});

test.each<[string, string[]]>([
  ['a network card was replaced', ['dmi:a', 'mac:new']],
  ['the agent no longer runs as root', ['mac:b']],
  ['nothing is known any more', []],
])('the id stays when %s', async (_, fingerprint) => {
  const folder = await temporaryFolder();
  const { id } = await load(folder);
  expect(await load(folder, fingerprint)).toEqual({ id, clonedFrom: null, warnings: [] });
});

test.each<[string, string[], boolean]>([
  ['the same container is started again', ['dmi:a', 'layer:1'], true],
  ['the machine of the container has another card', ['dmi:a', 'layer:1', 'mac:new'], true],
  ['another container is made of an image with the state', ['dmi:a', 'layer:2'], false],
  ['the state is moved to a volume', ['dmi:a'], true],
])('in a container: %s', async (_, fingerprint, isSame) => {
  const folder = await temporaryFolder();
  const { id } = await load(folder, ['dmi:a', 'layer:1']);
  const next = await load(folder, fingerprint);
  expect(next.id === id).toBe(isSame);
  expect(next.clonedFrom).toBe(isSame ? null : id);
});

test('what is newly known is added, and tells from then on', async () => {
  const folder = await temporaryFolder();
  const { id } = await load(folder, []);
  await load(folder, ['mac:b']);
  await load(folder, ['mac:b', 'mac:c']);
  expect(await load(folder, ['mac:c'])).toEqual({ id, clonedFrom: null, warnings: [] });
  expect((await stored(folder)).fingerprint).toEqual(['mac:b', 'mac:c']);
});

test('an id that is known serves where nothing can be written', async () => {
  const folder = await temporaryFolder();
  const { id } = await load(folder, ['mac:b']);
  await rm(join(folder, 'host.lock'));
  await mkdir(join(folder, 'host.lock'));
  const { id: same, warnings } = await load(folder, ['mac:b', 'mac:c']);
  expect(same).toBe(id);
  expect(warnings).toMatchObject([{ message: 'the fingerprint of this host cannot be updated' }]);
});

test('a cloned disk notices and takes a new id, keeping the old file', async () => {
  const folder = await temporaryFolder();
  const original = await load(folder);
  const clone = await load(folder, ['dmi:x', 'mac:y']);
  expect(clone.id).toMatch(uuid);
  expect(clone.id).not.toBe(original.id);
  expect(clone.warnings).toMatchObject([
    { message: expect.stringContaining('cloned disk'), fields: { previousId: original.id } },
  ]);
  expect(clone.clonedFrom).toBe(original.id);
  const again = { id: clone.id, clonedFrom: original.id, warnings: [] };
  expect(await load(folder, ['dmi:x', 'mac:y'])).toEqual(again);
  // A card more is no other machine, and what it was cloned from stays.
  expect(await load(folder, ['dmi:x', 'mac:y', 'mac:z'])).toEqual(again);
  expect(await load(folder, ['mac:z'])).toEqual(again);
  expect(await readFile(String(clone.warnings[0]?.fields.keptAs), 'utf8')).toContain(original.id);
});

test.each(['', '{"id":', '{}', 'null', '{"id":"7","fingerprint":[]}'])(
  'a damaged file (%j) is set aside, not overwritten',
  async (text) => {
    const folder = await temporaryFolder({ 'host.json': text });
    const { id, warnings } = await load(folder);
    expect(warnings).toMatchObject([{ message: expect.stringContaining('damaged') }]);
    expect(await load(folder)).toEqual({ id, clonedFrom: null, warnings: [] });
    const [aside] = (await readdir(folder)).filter((name) => name.startsWith('host.json.damaged-'));
    expect(await readFile(join(folder, String(aside)), 'utf8')).toBe(text);
  },
);

test('what an agent without clonedFrom kept is known', async () => {
  const id = 'f4271aa0-4483-41f3-a0ac-28d3745f6527';
  const text = JSON.stringify({ id, fingerprint: ['dmi:a'] });
  const folder = await temporaryFolder({ 'host.json': text });
  expect(await load(folder)).toEqual({ id, clonedFrom: null, warnings: [] });
  expect(await stored(folder)).toMatchObject({ id, clonedFrom: null });
});

test('a folder that cannot be used is an error that says what to do', async () => {
  const folder = await temporaryFolder({ file: '' });
  await expect(load(join(folder, 'file'))).rejects.toThrow(StateError);
  await expect(load(join(folder, 'file', 'state'))).rejects.toThrow(/cannot keep the host id in .*--state/);
});

test('what a killed agent left half written is no obstacle', async () => {
  const folder = await temporaryFolder({ 'host.json.tmp': '{"id":' });
  expect((await load(folder)).warnings).toEqual([]);
});

const racers: [string, string | null][] = [
  ['there is no file', null],
  ['the file is damaged', '{"id":'],
  ['the disk is a clone', '{"id":"f4271aa0-4483-41f3-a0ac-28d3745f6527","fingerprint":["dmi:other"]}'],
];

test.each(racers)('agents that start at once agree on one id when %s', async (_, text) => {
  const folder = await temporaryFolder(text === null ? {} : { 'host.json': text });
  const script = `
    import { loadIdentity } from ${JSON.stringify(import.meta.resolve('./host-identity.ts'))};
    process.stdin.once('data', async () => {
      const { id } = await loadIdentity({ stateFolder: ${JSON.stringify(folder)}, fingerprint: ['dmi:a'], warn() {} });
      console.log(id);
      process.exit();
    });
    console.log('ready');`;
  const children = Array.from({ length: 4 }, () =>
    spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['pipe', 'pipe', 'inherit'],
    }),
  );
  const outputs = children.map(async (child) => {
    let output = '';
    for await (const chunk of child.stdout) output += chunk;
    return output.replace('ready', '').trim();
  });
  await Promise.all(children.map((child) => new Promise((resolve) => child.stdout.once('data', resolve))));
  for (const child of children) child.stdin.end('go\n');
  const ids = new Set(await Promise.all(outputs));
  expect([...ids]).toEqual([(await stored(folder)).id]);
});

test('a fingerprint holds the hashed identities of hardware alone', async () => {
  const root = await temporaryFolder({
    'sys/class/dmi/id/product_uuid': '4C4C4544-0042-3510-8056-B4C04F4E4432\n',
    'sys/devices/eth0/address': '52:54:00:aa:bb:cc\n',
    'sys/devices/eth0/device/vendor': '0x1af4',
    'sys/devices/lo/address': '00:00:00:00:00:00\n',
    'sys/devices/docker0/address': '02:42:ac:11:00:02\n',
  });
  await mkdir(join(root, 'sys/class/net'));
  for (const name of ['eth0', 'lo', 'docker0']) {
    await symlink(`../../devices/${name}`, join(root, 'sys/class/net', name));
  }
  const fingerprint = await readFingerprint(root, '/proc');
  expect(fingerprint).toEqual([
    expect.stringMatching(/^dmi:[0-9a-f]{32}$/),
    expect.stringMatching(/^mac:[0-9a-f]{32}$/),
  ]);
  await writeFile(join(root, 'sys/class/dmi/id/product_uuid'), '03000200-0400-0500-0006-000700080009');
  const unnamed = await readFingerprint(root, '/proc');
  expect(unnamed).toEqual([fingerprint[1]]);
  expect(isSameMachine(fingerprint, unnamed)).toBe(true);
  expect(await readFingerprint(join(root, 'nowhere'), '/proc')).toEqual([]);
});
