/**
 * dependencies: lists the licences of what is installed with os-inspector, and asks whether any of it is known to be
 * vulnerable.
 *
 * Ends with 1 where a licence asks more of a user than to keep its text, or the audit finds something. A registry that
 * answers no audits is told, and is no failure: another run will ask it.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Of SPDX: whoever passes the software on has to pass their text on, and nothing else. */
const allowed = [
  'MIT',
  'Apache-2.0',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
  'PSF-2.0',
];

export type Package = { name: string; version: string; license?: string };

/** What is installed at a user's, dependencies of dependencies included. */
export async function installedPackages(): Promise<Package[]> {
  const packages = JSON.parse((await npm('query', '.prod')).stdout) as (Package & { path: string })[];
  return packages.filter(({ name }) => name !== 'os-inspector');
}

export function byLicence(packages: readonly Package[]): Map<string, string[]> {
  const groups = Map.groupBy(packages, ({ license = 'none' }) => license);
  return new Map(
    [...groups]
      .sort(([, a], [, b]) => b.length - a.length)
      .map(([licence, group]) => [licence, group.map(({ name, version }) => `${name}@${version}`)]),
  );
}

/** A choice of several is allowed where one of them is. */
export function isAllowed(licence: string): boolean {
  return licence
    .replace(/[()]/g, '')
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every((part) => allowed.includes(part)));
}

export type Verdict = { outcome: 'clean' | 'vulnerable' | 'unknown'; text: string };

/** @param report what `npm audit --json` wrote */
export function auditVerdict(report: string): Verdict {
  const { metadata, message, vulnerabilities = {} } = JSON.parse(report);
  const total = metadata?.vulnerabilities?.total;
  if (total === undefined) return { outcome: 'unknown', text: `audit: no answer (${message ?? report})` };
  if (total === 0) return { outcome: 'clean', text: 'audit: nothing known' };
  const names = Object.values<{ name: string; severity: string; range: string }>(vulnerabilities);
  const lines = names.map(({ name, severity, range }) => `  ${severity}: ${name} ${range}`);
  return { outcome: 'vulnerable', text: ['audit: known to be vulnerable:', ...lines].join('\n') };
}

/** With its output also where it ends with another code than 0, as an audit that finds something does. */
async function npm(...args: string[]): Promise<{ stdout: string }> {
  const maxBuffer = 64 * 1024 * 1024;
  return promisify(execFile)('npm', args, { maxBuffer, shell: process.platform === 'win32' }).catch(
    (error) => {
      if (error.stdout) return error;
      throw error;
    },
  );
}

if (import.meta.main) {
  const licences = byLicence(await installedPackages());
  for (const [licence, names] of licences) console.log(`${licence} (${names.length}): ${names.join(', ')}`);
  const refused = [...licences.keys()].filter((licence) => !isAllowed(licence));
  if (refused.length > 0) console.error(`not allowed here: ${refused.join(', ')}`);
  const { outcome, text } = auditVerdict((await npm('audit', '--omit=dev', '--json')).stdout);
  console.log(text);
  process.exitCode = refused.length > 0 || outcome === 'vulnerable' ? 1 : 0;
}
