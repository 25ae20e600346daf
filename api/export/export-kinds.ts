/** export-kinds: what can be exported: which parameters each kind takes, and how its rows are written in each format. */
import type { FilterInput } from '../builder.ts';
import type { FilterContext } from '../schema/filter-input.ts';
import { toHostQuestion } from '../schema/host.ts';
import { toReportFilter } from '../schema/report.ts';
import { hostTable, reportTable } from './csv.ts';
import type { Encoding } from './encoding.ts';
import type { ParameterName, Parameters } from './export-input.ts';
import {
  type HostOfExport,
  hostRows,
  type ReportOfExport,
  type RowSource,
  reportRows,
} from './export-rows.ts';
import { hostLines, reportLines } from './ndjson.ts';

export const exportFolder = '/export/';

export type ExportContext = FilterContext & { startedAt: number };

/** One kind of rows: what it takes, and how it is written in each format. */
export type ExportKind<Row> = {
  parameters: readonly ParameterName[];
  source(given: Parameters, context: ExportContext): Promise<RowSource<Row>>;
  formats: Record<string, (context: ExportContext) => Encoding<Row>>;
};

const reports: ExportKind<ReportOfExport> = {
  parameters: ['filter', 'limit'],
  source: async (given, context) =>
    reportRows(await toReportFilter(given.value('filter', 'ReportFilter') as FilterInput | null, context)),
  formats: { ndjson: () => reportLines, csv: ({ plugins }) => reportTable(plugins) },
};

const hosts: ExportKind<HostOfExport> = {
  parameters: ['filter', 'asOf', 'limit'],
  async source(given, context) {
    const filter = given.value('filter', 'HostFilter') as FilterInput | null;
    const asOf = given.value('asOf', 'DateTime') as Date | null;
    return hostRows(await toHostQuestion({ filter, asOf }, context));
  },
  formats: {
    ndjson: ({ startedAt }) => hostLines(startedAt),
    csv: ({ plugins, startedAt }) => hostTable(plugins, startedAt),
  },
};

// biome-ignore lint/suspicious/noExplicitAny: each kind goes with rows of its own
export const exportKinds: Readonly<Record<string, ExportKind<any>>> = { reports, hosts };

export const exportPaths = Object.entries(exportKinds).flatMap(([kind, { formats }]) =>
  Object.keys(formats).map((format) => `${exportFolder}${kind}.${format}`),
);
