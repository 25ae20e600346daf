import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { testIf } from '../test/support/needs.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import { layerOf, readContainerLayer } from './container-layer.ts';

const docker = String.raw`594 545 0:52 / / rw,relatime master:195 - overlay overlay rw,lowerdir=/l/A:/l/B,upperdir=/o/3f/diff,workdir=/o/3f/work
595 594 0:55 / /proc rw,nosuid - proc proc rw
600 594 254:1 /volumes/state/_data /var/lib/os-inspector rw - ext4 /dev/vda1 rw
601 594 254:1 /v2 /srv/with\040space rw - ext4 /dev/vda1 rw`;

test.each([
  ['/root/.local/state', '/o/3f/diff'],
  ['/', '/o/3f/diff'],
  ['/var/lib/os-inspector', null],
  ['/var/lib/os-inspector/deep', null],
  ['/var/lib/os-inspector2', '/o/3f/diff'],
  ['/srv/with space/x', null],
])('%s in a container is on layer %s', (folder, layer) => {
  expect(layerOf(folder, docker)).toBe(layer);
  expect(layerOf(folder, '27 1 254:0 / / rw - ext4 /dev/vda rw')).toBeNull();
  expect(layerOf(folder, '')).toBeNull();
});

test('a folder that is on no overlay, or is not there yet, has the layer of what it will be in', async () => {
  const folder = await temporaryFolder();
  expect(await readContainerLayer(join(folder, 'not/there'))).toBe(await readContainerLayer(folder));
});

/** Two containers of one image, as far as files go: the same lower layer, and an upper one each. */
const twoContainers = (folder: string, node: string, agent: string) => `set -e
  for n in 1 2; do
    mkdir -p ${folder}/u$n ${folder}/w$n ${folder}/m$n
    mount -t overlay overlay -o lowerdir=${folder}/image,upperdir=${folder}/u$n,workdir=${folder}/w$n ${folder}/m$n
  done
  for n in 1 2 1 2; do
    ${node} ${agent} once --config ${folder}/agent.config.json --state ${folder}/m$n/state > /dev/null 2>&1 || true
    grep -E '"(id|clonedFrom)"' ${folder}/m$n/state/host.json | tr -d ' \n'
    echo
  done`;

const canMount =
  process.platform === 'linux' &&
  (await temporaryOverlay().then(
    () => true,
    () => false,
  ));
if (!canMount)
  console.warn('skipped: containers of one image need an overlay mount (root, unshare, overlayfs)');

async function temporaryOverlay(): Promise<void> {
  const folder = join(process.env.TMPDIR ?? '/tmp', `os-inspector-overlay-${process.pid}`);
  const script = `mkdir -p ${folder}/l ${folder}/u ${folder}/w ${folder}/m
    mount -t overlay overlay -o lowerdir=${folder}/l,upperdir=${folder}/u,workdir=${folder}/w ${folder}/m
    status=$?; umount ${folder}/m; rm -rf ${folder}; exit $status`;
  await promisify(execFile)('unshare', ['-m', 'sh', '-c', script]);
}

testIf(
  canMount,
  'it needs root, unshare and overlayfs',

  'containers of an image that an agent was started in part, and stay who they are',
  async () => {
    const id = 'f4271aa0-4483-41f3-a0ac-28d3745f6527';
    const config = { api: { url: 'http://127.0.0.1:4999/graphql' }, plugins: [] };
    const folder = await temporaryFolder({
      'image/state/host.json': JSON.stringify({ id, fingerprint: ['layer:of the build'] }),
      'agent.config.json': JSON.stringify(config),
    });
    const agent = join(import.meta.dirname, 'main.ts');
    const script = twoContainers(folder, process.execPath, agent);
    const { stdout } = await promisify(execFile)('unshare', ['-m', 'sh', '-c', script]);
    const [one, two, oneAgain, twoAgain] = stdout.trim().split('\n');
    expect(one).not.toBe(two);
    expect([oneAgain, twoAgain]).toEqual([one, two]);
    for (const host of [one, two]) expect(host).toContain(`"clonedFrom":"${id}"`);
  },
);
