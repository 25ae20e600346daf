/**
 * package-fleet: hosts with thousands of packages each, as package managers tell them.
 *
 * Hosts of one release have the same version of a package, but not all have the same packages.
 */
import { reportFormat, type StoredReport } from '../api/log/stored-report.ts';

export type PackageFleet = {
  /** A host's next report. */
  report(host: number, packages: unknown): StoredReport;
  /** All packages of a release after so many weekly updates. */
  packages(release: number, week: number): unknown;
  /** The same without some, of which another host lacks others. */
  packagesOf(host: number, release: number, week: number): unknown;
  /** The same with one of them in another version. */
  withOneChanged(host: number, release: number, change: number): unknown;
};

type Package = Record<string, string | number | null>;

const firstDay = Date.parse('2026-01-05T06:00:00Z');
/** Of a release's packages a host lacks one in so many. */
const lacksOneIn = 20;
/** Packages of a release that an update brings. */
const updatedAWeek = 20;

export function makePackageFleet(packageCount: number): PackageFleet {
  let made = 0;
  const list = (release: number, week: number, isThere: (number: number) => boolean): Package[] =>
    Array.from({ length: packageCount }, (_, number) => number)
      .filter(isThere)
      .map((number) => packageOf(release, number, updatesOf(number, week)));
  const told = (packages: Package[]) => ({
    packages,
    managers: [{ name: 'dpkg', packageCount: packages.length }],
  });
  /** Packages take turns. */
  const updatesOf = (number: number, week: number) => {
    const every = Math.ceil(packageCount / updatedAWeek);
    return Math.floor((week + (mixed(number) % every)) / every);
  };
  const isOn = (host: number) => (number: number) => mixed(number * 7919 + host) % lacksOneIn !== 0;
  return {
    packages: (release, week) => told(list(release, week, () => true)),
    packagesOf: (host, release, week) => told(list(release, week, isOn(host))),
    withOneChanged(host, release, change) {
      const packages = list(release, 0, isOn(host));
      const changed = packages[mixed(change) % packages.length];
      if (changed) changed.version = `${changed.version}+${change}`;
      return told(packages);
    },
    report(host, packages) {
      made += 1;
      const at = firstDay + made * 1_000;
      return {
        format: reportFormat,
        id: uuidOf(7, made),
        host: { id: uuidOf(4, host), name: `host-${host}.example.net`, labels: {} },
        agentVersion: '0.1.0',
        intervalSeconds: 3_600,
        collectedAt: new Date(at).toISOString(),
        receivedAt: new Date(at).toISOString(),
        results: [
          {
            ...{ plugin: 'packages', version: 1, status: 'OK', durationMs: 12.5 },
            ...{ facts: packages, readings: null, error: null },
          },
        ],
      };
    },
  };
}

function packageOf(release: number, number: number, updates: number): Package {
  const random = mixed(number);
  const name = `lib${(random % 60_466_176).toString(36)}-${number}`;
  return {
    name,
    version: `${random % 9}.${mixed(number + release) % 20}.${random % 7}-${release}+deb12u${updates}`,
    architecture: random % 10 === 0 ? 'all' : 'amd64',
    manager: 'dpkg',
    source: random % 3 === 0 ? name : `src${random % 1_000}`,
    sizeBytes: (mixed(number + release) % 20_000) * 1_024,
  };
}

/** The same for the same number, and all over the place. */
function mixed(number: number): number {
  let hash = Math.imul(number + 0x9e3779b9, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function uuidOf(version: 4 | 7, number: number): string {
  return `01900000-0000-${version}000-8000-${number.toString(16).padStart(12, '0')}`;
}
