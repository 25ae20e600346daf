/** fact-path: finds the fact that a path such as `os.kernel` names, of a plugin that the server knows or does not. */
import { didYouMean } from '../../plugins/did-you-mean.ts';
import { type Facts, isScalar, scalarKinds } from '../../plugins/fact.ts';
import type { AnyPlugin } from '../../plugins/plugin.ts';
import type { ApiContext } from '../context.ts';
import { pluginOf } from '../index/catalog.ts';
import { withoutNul } from '../index/comparable.ts';
import { hostPathRoot, hostPaths } from '../index/digest.ts';
import type { FactPath } from '../index/index-store.ts';
import { checkLength } from './filter-bounds.ts';
import { type InputPath, inputError } from './input-error.ts';

/** A fact that a plugin declares, or a list of records. */
export type DeclaredPath = {
  path: string;
  compare: FactPath['compare'];
  isReading: boolean;
  isRecord: boolean;
  inList: boolean;
};

/** All that may be named, in declared order. */
export function declaredPaths(plugin: AnyPlugin): DeclaredPath[] {
  return [
    ...walk(plugin.facts, plugin.name, false, false),
    ...walk(plugin.readings ?? {}, plugin.name, true, false),
  ];
}

function* walk(facts: Facts, parent: string, isReading: boolean, inList: boolean): Generator<DeclaredPath> {
  for (const [name, fact] of Object.entries(facts)) {
    const path = `${parent}.${name}`;
    const isList = fact.kind === 'list';
    const element = isList ? fact.of : fact;
    if (isScalar(element)) {
      const { compare } = scalarKinds[element.kind];
      yield { path, compare, isReading, isRecord: false, inList: inList || isList };
    } else {
      yield { path, compare: null, isReading, isRecord: true, inList: true };
      yield* walk(element, path, isReading, true);
    }
  }
}

/** Of a plugin that the server does not know; more would not help to find a typing error. */
const maxPaths = 5_000;

/** Longer than any that is declared; in characters. */
export const maxPathLength = 1_000;

export type FoundPath = FactPath & { inList: boolean };

/**
 * @param at where the path stands in the arguments
 * @throws GraphQLError BAD_USER_INPUT that says what the path could be
 */
export async function findFactPath(
  text: string,
  at: InputPath,
  { plugins, index }: Pick<ApiContext, 'plugins' | 'index'>,
): Promise<FoundPath> {
  checkLength(text, at, maxPathLength);
  const root = text.split('.')[0] ?? '';
  if (root === text) {
    throw inputError(
      at,
      `must name a fact as plugin.field, such as os.kernel, but is ${JSON.stringify(text)}`,
    );
  }
  const plugin = plugins.find(({ name }) => name === root);
  if (plugin) return declared(plugin, text, at);
  const own = root === hostPathRoot ? hostPaths : [];
  const told = [...new Set([...own, ...(await index.pathsOf(withoutNul(root), maxPaths))])];
  if (told.includes(text)) return { plugin: pluginOf(root), path: text, compare: null, inList: false };
  const known = [
    ...plugins
      .flatMap(declaredPaths)
      .filter(isFact)
      .map(({ path }) => path),
    ...told,
  ];
  const nobody =
    root === hostPathRoot
      ? 'no host has it'
      : 'no plugin of this server declares it, and no host has told it';
  throw inputError(at, unknownPath(text, nobody, known));
}

function declared(plugin: AnyPlugin, text: string, at: InputPath): FoundPath {
  const paths = declaredPaths(plugin);
  const found = paths.find(({ path }) => path === text);
  if (!found) {
    const known = paths.filter(isFact).map(({ path }) => path);
    throw inputError(at, unknownPath(text, `the plugin ${plugin.name} has no such fact`, known));
  }
  if (found.isReading) {
    throw inputError(at, `${text} is a reading, which is measured anew each time: name a fact`);
  }
  if (found.isRecord) {
    const inner = paths.find(({ path }) => path.startsWith(`${text}.`))?.path;
    throw inputError(at, `${text} is a list of records: name a field of them, such as ${inner}`);
  }
  return { plugin: plugin.name, path: text, compare: found.compare, inList: found.inList };
}

function isFact({ isReading, isRecord }: DeclaredPath): boolean {
  return !isReading && !isRecord;
}

/**
 * That a plugin's facts can be there: the server declares it, or some host has told them.
 *
 * @throws GraphQLError BAD_USER_INPUT that says what it could be
 */
export async function checkPlugin(
  name: string,
  at: InputPath,
  { plugins, index }: Pick<ApiContext, 'plugins' | 'index'>,
): Promise<void> {
  const known = [...plugins.map((plugin) => plugin.name), hostPathRoot];
  if (known.includes(name) || (await index.pathsOf(withoutNul(name), 1)).length > 0) return;
  const hint = didYouMean(name, known);
  const why = 'this server does not know it, and no host has told facts of it';
  throw inputError(at, `unknown plugin ${JSON.stringify(name)}: ${why}${hint ? `; ${hint}` : ''}`);
}

function unknownPath(text: string, why: string, known: readonly string[]): string {
  const hint = didYouMean(text, known);
  return `unknown fact ${JSON.stringify(text)}: ${why}${hint ? `; ${hint}` : ''}`;
}

/**
 * That changes can be told at a path: a plugin, a list, a fact, whatever lies above facts.
 *
 * @throws GraphQLError BAD_USER_INPUT that says what the path could be
 */
export async function checkChangePath(
  text: string,
  at: InputPath,
  { plugins, index }: Pick<ApiContext, 'plugins' | 'index'>,
): Promise<void> {
  checkLength(text, at, maxPathLength);
  const root = text.split('.')[0] ?? '';
  const plugin = plugins.find(({ name }) => name === root);
  const paths = plugin ? declaredPaths(plugin) : [];
  if (paths.some(({ path, isReading }) => isReading && path === text)) {
    throw inputError(at, `${text} is a reading, which is measured anew each time: only facts change`);
  }
  if (plugin && text === root) return;
  const isAbove = (path: string) => path === text || path.startsWith(`${text}.`);
  const declared = paths.filter(({ isReading }) => !isReading).map(({ path }) => path);
  if (declared.some(isAbove)) return;
  // Hosts may tell more than this server's version of a plugin declares.
  const told = await index.pathsOf(withoutNul(root), maxPaths);
  if (told.some(isAbove)) return;
  const known = [...declared, ...told];
  const all = [
    ...known,
    ...plugins.flatMap((one) => [one.name, ...declaredPaths(one).map(({ path }) => path)]),
  ];
  throw inputError(
    at,
    unknownPath(text, plugin ? `the plugin ${root} has no such fact` : 'no host has told it', all),
  );
}
