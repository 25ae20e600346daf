/**
 * engine-answers: shapes what Docker and Podman answer into facts; pure.
 *
 * Takes nothing for granted: engines of ten years answer this API, and leave out or add as they please.
 */
import { isIP } from 'node:net';

export type Engine = {
  socket: string;
  name: string | null;
  version: string | null;
  apiVersion: string | null;
  storageDriver: string | null;
  dataFolder: string | null;
  cgroupVersion: string | null;
  rootless: boolean | null;
};

export type Container = {
  id: string;
  name: string | null;
  socket: string;
  image: string | null;
  imageId: string | null;
  state: string | null;
  createdAt: string | null;
  composeProject: string | null;
  composeService: string | null;
  networks: string[] | null;
  ports: Port[];
};

export type Port = {
  containerPort: number;
  protocol: string | null;
  address: string | null;
  hostPort: number | null;
};

/** As `docker ps` shows it. */
const shortIdLength = 12;

/** From the answers to /version and /info; either may be null. */
export function toEngine(socket: string, version: unknown, info: unknown): Engine {
  const [told, more] = [record(version), record(info)];
  const [component] = array(told.Components);
  const security = array(more.SecurityOptions);
  return {
    socket,
    name: text(record(component).Name),
    version: text(told.Version),
    apiVersion: text(told.ApiVersion),
    storageDriver: text(more.Driver),
    dataFolder: text(more.DockerRootDir),
    cgroupVersion: text(more.CgroupVersion),
    rootless: Array.isArray(more.SecurityOptions) ? security.includes('name=rootless') : null,
  };
}

/** From the answer to /containers/json, by name. What has no id is left out. */
export function toContainers(socket: string, listed: readonly unknown[]): Container[] {
  return listed
    .map((one) => toContainer(socket, record(one)))
    .filter((container) => container !== null)
    .sort((a, b) => compare(a.name ?? '', b.name ?? '') || compare(a.id, b.id));
}

function toContainer(socket: string, one: Record<string, unknown>): Container | null {
  const id = text(one.Id)?.slice(0, shortIdLength);
  if (!id) return null;
  const labels = record(one.Labels);
  const { Networks } = record(one.NetworkSettings);
  return {
    id,
    // Others of its names are links of other containers, which hold a second slash.
    name: text(array(one.Names).find((name) => /^\/[^/]+$/.test(String(name))))?.slice(1) ?? null,
    socket,
    image: text(one.Image),
    imageId: text(one.ImageID)?.replace(/^sha256:/, '') || null,
    state: text(one.State)?.toLowerCase() ?? null,
    createdAt: instantOf(one.Created),
    composeProject: text(labels['com.docker.compose.project']),
    composeService: text(labels['com.docker.compose.service']),
    networks: Networks
      ? Object.keys(record(Networks))
          .filter((name) => text(name) !== null)
          .sort()
      : null,
    ports: toPorts(array(one.Ports)),
  };
}

function toPorts(listed: readonly unknown[]): Port[] {
  const ports = listed.map(record).flatMap(({ PrivatePort, Type, IP, PublicPort }) => {
    const containerPort = portOf(PrivatePort);
    if (containerPort === null) return [];
    const address = text(IP);
    return [
      {
        containerPort,
        protocol: text(Type),
        address: address && isIP(address) > 0 && !address.includes('%') ? address : null,
        hostPort: portOf(PublicPort),
      },
    ];
  });
  return ports.sort(
    (a, b) =>
      a.containerPort - b.containerPort ||
      compare(a.protocol ?? '', b.protocol ?? '') ||
      compare(a.address ?? '', b.address ?? '') ||
      (a.hostPort ?? 0) - (b.hostPort ?? 0),
  );
}

/** As its status says: `Up 3 days (unhealthy)`. */
export function isUnhealthy(one: unknown): boolean {
  const { State, Status } = record(one);
  return text(State)?.toLowerCase() === 'running' && /\(unhealthy\)$/.test(text(Status) ?? '');
}

/** Podman sends port 0 for none. */
function portOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 65_536 ? value : null;
}

/** Seconds since 1970; Podman has sent RFC 3339 as well. */
function instantOf(value: unknown): string | null {
  const date = new Date(typeof value === 'number' ? value * 1_000 : String(value));
  const year = date.getUTCFullYear();
  return year >= 1970 && year <= 9999 ? date.toISOString() : null;
}

function text(value: unknown): string | null {
  if (typeof value !== 'string' && typeof value !== 'number') return null;
  return String(value).replaceAll('\0', '').toWellFormed().slice(0, maxTextLength).trim() || null;
}

/** No name of an engine is longer. */
const maxTextLength = 4_096;

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function array(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
