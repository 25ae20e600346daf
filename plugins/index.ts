/**
 * index: the plugins that come with os-inspector, in the order the docs show them.
 *
 * To add one, write its file and list it here; schema, filters, docs and config follow from it.
 * Each is loaded only when it is asked for, so that an agent pays for what its config names.
 */
import type { AnyPlugin } from './plugin.ts';

export const builtinPlugins = {
  cpu: () => import('./cpu.ts'),
  user: () => import('./user.ts'),
  os: () => import('./os.ts'),
  network: () => import('./network.ts'),
  memory: () => import('./memory.ts'),
  disk: () => import('./disk.ts'),
  hardware: () => import('./hardware.ts'),
  processes: () => import('./processes.ts'),
  packages: () => import('./packages.ts'),
  services: () => import('./services.ts'),
  listening: () => import('./listening.ts'),
  updates: () => import('./updates.ts'),
} as const satisfies Record<string, () => Promise<{ default: AnyPlugin }>>;

export type BuiltinPluginName = keyof typeof builtinPlugins;

export const builtinPluginNames = Object.keys(builtinPlugins) as BuiltinPluginName[];

/** Every plugin of this list, loaded. */
export function loadBuiltinPlugins(): Promise<AnyPlugin[]> {
  return Promise.all(Object.values(builtinPlugins).map(async (load) => (await load()).default as AnyPlugin));
}
