/**
 * intake: takes a report exactly once.
 *
 * A report whose id is known, or is being written at this moment, is a resend: it is answered and
 * adds nothing. Everything else goes to the log, and is acknowledged when the log says so. An id belongs to the host that used
 * it first: under it another host neither learns of that report nor adds one of its own.
 */
import DataLoader from 'dataloader';
import { Failure } from './failure.ts';
import type { IndexReader, ReportRow } from './index/index-store.ts';
import type { Log } from './log/log.ts';
import type { StoredReport } from './log/stored-report.ts';
import { within } from './within.ts';

export type Intake = {
  /**
   * @throws IdTaken when a report of another host has its id
   * @throws Failure UNAVAILABLE when the bucket did not confirm it: send it again under the same id
   */
  submit(report: StoredReport): Promise<{ report: ReportRow; duplicate: boolean }>;
};

/** The report can be sent under a new id. */
export class IdTaken extends Failure {
  constructor() {
    super('INVALID', 'is of a report of another host: take a new one');
  }
}

export type IntakeOptions = {
  log: Log;
  index: Pick<IndexReader, 'reportsById'>;
  /** Told when the index did not answer; the report is taken all the same. */
  onIndexError: (cause: unknown) => void;
};

/** An index that hangs must not keep reports from being taken. */
const patienceMs = 2_000;

export function openIntake({ log, index, onIndexError }: IntakeOptions): Intake {
  const underWay = new Map<string, Promise<ReportRow>>();
  // One question for all reports that arrive in one turn of the event loop.
  const known = new DataLoader<string, ReportRow | null>((ids) => index.reportsById(ids), {
    cache: false,
    batchScheduleFn: setImmediate,
  });

  async function find(id: string): Promise<ReportRow | null> {
    try {
      return await within(patienceMs, 'the index', known.load(id));
    } catch (cause) {
      // The index drops a second copy by its id when it catches up, so nothing is counted twice.
      onIndexError(cause);
      return null;
    }
  }

  async function write(report: StoredReport): Promise<ReportRow> {
    await log.append(report);
    return toRow(report);
  }

  return {
    async submit(report) {
      const first = underWay.get(report.id);
      if (first) return { report: sameHost(await first, report), duplicate: true };
      const known = find(report.id);
      const writing = known.then((row) => row ?? write(report));
      underWay.set(report.id, writing);
      try {
        return { report: sameHost(await writing, report), duplicate: (await known) !== null };
      } finally {
        underWay.delete(report.id);
      }
    },
  };
}

function sameHost(row: ReportRow, { host }: StoredReport): ReportRow {
  if (row.hostId.toLowerCase() === host.id.toLowerCase()) return row;
  throw new IdTaken();
}

function toRow(report: StoredReport): ReportRow {
  const { id, host, agentVersion, intervalSeconds, results, droppedReports = null } = report;
  const receivedAt = Date.parse(report.receivedAt);
  const { name, labels, clonedFrom = null } = host;
  const hostFacts = { name, labels, agentVersion, intervalSeconds, clonedFrom };
  return {
    id,
    hostId: host.id,
    agentVersion,
    collectedAt: Date.parse(report.collectedAt),
    receivedAt,
    hostFacts,
    droppedReports,
    results,
    ownHost: {
      ...hostFacts,
      id: host.id,
      asOf: null,
      firstSeenAt: receivedAt,
      lastSeenAt: receivedAt,
    },
  };
}
