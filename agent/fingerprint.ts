/**
 * fingerprint: what tells one machine from another: hashes of its hardware's own identities.
 *
 * Source: /sys/class/dmi/id/product_uuid (root alone may read it) and the MAC addresses of physical
 * interfaces under /sys/class/net; for state that is inside a container, the layer of that container. Empty on other
 * systems, where a cloned disk is therefore not noticed.
 */
import { createHash } from 'node:crypto';
import { access, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readContainerLayer } from './container-layer.ts';

/** Hashed components such as `dmi:9f2c…` and `mac:01b7…`, sorted. Empty when nothing is known. */
export type Fingerprint = readonly string[];

/** What makers put where they have not bothered to make one up. */
const emptyUuids = /^(?:0{8}-0{4}|f{8}-f{4}|03000200-0400-0500-0006-000700080009)/i;

/**
 * @param root where the host's file system begins
 * @param stateFolder where the fingerprint is kept, of this process's own file system
 */
export async function readFingerprint(root: string, stateFolder: string): Promise<Fingerprint> {
  const [uuid, macs, layer] = await Promise.all([
    readText(join(root, 'sys/class/dmi/id/product_uuid')),
    readPhysicalMacs(join(root, 'sys/class/net')),
    readContainerLayer(stateFolder),
  ]);
  const components = macs.map((mac) => `mac:${hash(mac)}`);
  if (uuid && !emptyUuids.test(uuid)) components.push(`dmi:${hash(uuid.toLowerCase())}`);
  if (layer) components.push(`${layerPrefix}${hash(layer)}`);
  return components.sort();
}

/**
 * Whether two fingerprints can be of one machine: a part may have been replaced, or may not have been
 * readable; only when both are known and nothing at all is common is it another machine. Likewise another container, when
 * both layers are known and differ.
 */
export function isSameMachine(a: Fingerprint, b: Fingerprint): boolean {
  // Containers of one machine have its hardware in common.
  return (
    mayBeSame(a.filter(isLayer), b.filter(isLayer)) && mayBeSame(a.filter(isHardware), b.filter(isHardware))
  );
}

const layerPrefix = 'layer:';

function isLayer(component: string): boolean {
  return component.startsWith(layerPrefix);
}

function isHardware(component: string): boolean {
  return !isLayer(component);
}

function mayBeSame(a: Fingerprint, b: Fingerprint): boolean {
  return a.length === 0 || b.length === 0 || a.some((component) => b.includes(component));
}

async function readPhysicalMacs(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  const macs = await Promise.all(
    names.map(async (name) => {
      // Bridges, tunnels and the like have no device behind them, and addresses that come and go.
      const isPhysical = await access(join(folder, name, 'device')).then(
        () => true,
        () => false,
      );
      return isPhysical ? readText(join(folder, name, 'address')) : null;
    }),
  );
  return macs.filter((mac) => mac !== null && !/^[0:]*$/.test(mac)) as string[];
}

async function readText(path: string): Promise<string | null> {
  return (await readFile(path, 'utf8').catch(() => '')).trim() || null;
}

/** Long enough that no two machines meet by chance; the state folder then holds no hardware address. */
function hash(text: string): string {
  return createHash('sha256').update(`os-inspector ${text}`).digest('hex').slice(0, 32);
}
