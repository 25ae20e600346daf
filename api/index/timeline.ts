/**
 * timeline: what follows for a host from its reports in the order of time.
 *
 * Pure. `advance` takes the next report; what has to be written gathers in a `TimelineRows`. All that the
 * index tells of a host is a fold of its reports, so it does not depend on how they were batched.
 */

/** A place in a host's time: two reports of one instant are told apart by their id. */
export type Moment = { at: number; report: string };

export type ContentResult = {
  plugin: string;
  ok: boolean;
  factSet: number | null;
};

export type Content = { id: number; results: readonly ContentResult[] };

/** One result as it is stored. */
export type ToldResult = { plugin: string; status: string; factSet: number | null };

export function toContent(id: number, told: readonly ToldResult[]): Content {
  const seen = new Set<string>();
  const results = told.map(({ plugin, status, factSet }) => {
    // A plugin is there once, but for reports that another program wrote into the bucket: then its first counts.
    const ok = status === 'OK' && !seen.has(plugin);
    if (ok) seen.add(plugin);
    return { plugin, ok, factSet };
  });
  return { id, results };
}

/** What a plugin said last when it was successful. */
export type PluginState = {
  factSet: number | null;
  /** Null: in the newest report. */
  report: string | null;
};

export type HostState = {
  newest: Moment;
  content: Content;
  plugins: Map<string, PluginState>;
};

export type Change = Moment & { plugin: string; before: number | null; after: number | null };

/** Rows to write, the last one of a key being the one that counts. */
export type TimelineRows = {
  changes: Change[];
  plugins: Map<string, PluginState>;
  /** Fact sets by from when to when they were told; `last` is null while the newest report tells them. */
  factSets: Map<number, { first: number; last: number | null }>;
};

export function noRows(): TimelineRows {
  return { changes: [], plugins: new Map(), factSets: new Map() };
}

export function isBefore(a: Moment, b: Moment): boolean {
  return a.at < b.at || (a.at === b.at && a.report < b.report);
}

/**
 * The host's state after its next report, which must not be before the newest one.
 *
 * @param state null before the first report
 */
export function advance(
  state: HostState | null,
  moment: Moment,
  content: Content,
  rows: TimelineRows,
): HostState {
  if (state && state.content.id === content.id) return { ...state, newest: moment };
  const plugins = new Map(state?.plugins);
  const set = (plugin: string, next: PluginState) => {
    plugins.set(plugin, next);
    rows.plugins.set(plugin, next);
  };
  const toldSets = new Set(content.results.map(({ factSet }) => factSet));
  const toldPlugins = new Set(content.results.filter(({ ok }) => ok).map(({ plugin }) => plugin));
  for (const { plugin, ok, factSet } of state?.content.results ?? []) {
    if (!state) break;
    if (factSet !== null && !toldSets.has(factSet)) close(rows, factSet, state.newest.at);
    if (ok && !toldPlugins.has(plugin)) set(plugin, { factSet, report: state.newest.report });
  }
  for (const { plugin, ok, factSet } of content.results) {
    if (factSet !== null) open(rows, factSet, moment.at);
    if (!ok) continue;
    const before = plugins.get(plugin);
    if ((before?.factSet ?? null) !== factSet) {
      rows.changes.push({ ...moment, plugin, before: before?.factSet ?? null, after: factSet });
    }
    if (before?.factSet !== factSet || before.report !== null) set(plugin, { factSet, report: null });
  }
  return { newest: moment, content, plugins };
}

function open(rows: TimelineRows, factSet: number, at: number): void {
  const known = rows.factSets.get(factSet);
  rows.factSets.set(factSet, { first: known?.first ?? at, last: null });
}

function close(rows: TimelineRows, factSet: number, at: number): void {
  const known = rows.factSets.get(factSet);
  // Without a row of its own the first time is in the database, and not after this.
  rows.factSets.set(factSet, { first: known?.first ?? at, last: at });
}
