/**
 * pending-updates: reads what package managers write when asked what is newer than installed.
 */

export type PendingUpdate = {
  name: string;
  architecture: string | null;
  installedVersion: string | null;
  candidateVersion: string;
  security: boolean | null;
};

/** `openssl/stable-updates,stable-security 3.0.16-1 amd64 [upgradable from: 3.0.15-1]`. */
export function parseAptUpgradable(output: string): PendingUpdate[] {
  return [...output.matchAll(/^([^\s/]+)\/(\S*) (\S+) (\S+) \[upgradable from: (\S+)\]/gm)].map(
    ([, name = '', suites = '', candidateVersion = '', architecture = null, installedVersion = null]) => ({
      ...{ name, architecture, installedVersion, candidateVersion },
      security: suites.split(',').some((suite) => suite.endsWith('-security')),
    }),
  );
}

/** What `dnf repoquery` is asked for; the newer dnf ends no line by itself. */
export const dnfFormat = '%{name}\\t%{arch}\\t%{epoch}:%{version}-%{release}\\n';

/**
 * @param security what it wrote when asked for security alone
 * @param installed versions by `name.architecture`
 */
export function parseDnfUpgrades(
  output: string,
  security: string | null,
  installed: ReadonlyMap<string, string | null>,
): PendingUpdate[] {
  const closing = security === null ? null : new Set(dnfLines(security).map(({ id }) => id));
  const found = new Map<string, PendingUpdate>();
  for (const { id, name, architecture, candidateVersion } of dnfLines(output)) {
    const installedVersion = installed.get(id) ?? null;
    found.set(id, {
      ...{ name, architecture, installedVersion, candidateVersion },
      security: closing?.has(id) ?? null,
    });
  }
  return [...found.values()];
}

function dnfLines(output: string) {
  return output.split('\n').flatMap((line) => {
    const [name, architecture, version] = line.split('\t');
    if (!name || !architecture || !version) return [];
    const id = `${name}.${architecture}`;
    return { id, name, architecture, candidateVersion: version.replace(/^0:/, '').trim() };
  });
}

/** `<update kind="package" name="bash" edition="4.4-2" arch="s390x" edition-old="4.4-1">`, attributes in any order. */
export function parseZypperUpdates(xml: string): PendingUpdate[] {
  return [...xml.matchAll(/<update\s([^>]*)>/g)].flatMap(([, attributes = '']) => {
    const of = (name: string) => new RegExp(`(?:^|\\s)${name}="([^"]+)"`).exec(attributes)?.[1] ?? null;
    const [name, candidateVersion] = [of('name'), of('edition')];
    if (name === null || candidateVersion === null || of('kind') !== 'package') return [];
    const rest = { architecture: of('arch'), installedVersion: of('edition-old'), security: null };
    return { name, candidateVersion, ...rest };
  });
}

/** `busybox-1.36.1-r28    < 1.36.1-r29`. */
export function parseApkVersions(output: string): PendingUpdate[] {
  return [...output.matchAll(/^(\S+)-(\d\S*?-r\d+)\s+<\s+(\S+)/gm)].map(
    ([, name = '', installedVersion = null, candidateVersion = '']) => ({
      ...{ name, installedVersion, candidateVersion },
      ...{ architecture: null, security: null },
    }),
  );
}

/** `linux 6.9.7.arch1-1 -> 6.9.9.arch1-1`, with `[ignored]` behind where it is held back. */
export function parsePacmanUpgrades(output: string): PendingUpdate[] {
  return [...output.matchAll(/^(\S+) (\S+) -> (\S+)/gm)].map(
    ([, name = '', installedVersion = null, candidateVersion = '']) => ({
      ...{ name, installedVersion, candidateVersion },
      ...{ architecture: null, security: null },
    }),
  );
}
