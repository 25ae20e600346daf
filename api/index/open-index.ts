/** open-index: picks the dialect that the settings ask for, and loads no other. */
import type { AnyPlugin } from '../../plugins/plugin.ts';
import type { BuildingIndex, IndexStore } from './index-store.ts';
import { hasSegments } from './sqlite-file.ts';
import { openSqliteIndex, openSqliteRebuild } from './sqlite-index.ts';

export type IndexSettings = { kind: 'sqlite'; file: string } | { kind: 'postgres'; url: string };

export type OpenIndexOptions = {
  settings: IndexSettings;
  /** Where the bucket is that this is a view of. */
  bucket: string;
  /** Those whose facts can be filtered by. */
  plugins: readonly AnyPlugin[];
  /** Of a list from which on its elements are shared. @default defaultLongListLength */
  longListLength?: number | undefined;
  /** Told of what is not as it should be, and mends itself. */
  onWarning?: (message: string, details: Record<string, unknown>) => void;
};

export async function openIndex(options: OpenIndexOptions): Promise<IndexStore> {
  const { settings, onWarning = () => {} } = options;
  if (settings.kind === 'sqlite') {
    return openSqliteIndex({
      ...options,
      file: settings.file,
      onDiscard: (reason) => onWarning('index file was not usable and is built anew', { reason }),
    });
  }
  const { openPostgresIndex } = await import('./postgres-index.ts');
  return openPostgresIndex({
    ...options,
    url: settings.url,
    onConnectionError: (cause) => onWarning('connection to PostgreSQL was lost', { err: cause }),
  });
}

export type IndexRebuild = {
  index: BuildingIndex;
  /** Closes it, and puts it in the place of the one in use, which is answered from until then. */
  takePlace(): Promise<void>;
  /** Whether the one in use holds anything. */
  wasFilled: boolean;
};

/** Opens an index beside the one in use. One that an interrupted rebuild left there goes on. */
export async function openRebuild(options: Omit<OpenIndexOptions, 'onWarning'>): Promise<IndexRebuild> {
  const { settings } = options;
  if (settings.kind === 'sqlite') {
    // First, as it also tells a file that is no index, before an hour is spent.
    const wasFilled = hasSegments(settings.file);
    return { ...(await openSqliteRebuild({ ...options, file: settings.file })), wasFilled };
  }
  const { hasPostgresSegments, openPostgresRebuild } = await import('./postgres-index.ts');
  const withUrl = { ...options, url: settings.url };
  const wasFilled = await hasPostgresSegments(withUrl);
  return { ...(await openPostgresRebuild(withUrl)), wasFilled };
}
