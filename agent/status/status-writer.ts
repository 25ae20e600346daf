/**
 * status-writer: brings the daemon's status to its file, a moment after it changed.
 *
 * A report is collected, sent and acknowledged within a second as a rule: that is one write.
 */
import { errorText } from '../error-text.ts';
import type { Log } from '../run.ts';
import { type AgentStatus, writeStatus } from './agent-status.ts';

export type StatusWriter = {
  /** Has it written soon. */
  changed(): void;
  /** Writes it now. Never rejects. */
  flush(): Promise<void>;
};

export type StatusWriterParts = {
  stateFolder: string;
  status(): Promise<AgentStatus>;
  log: Pick<Log, 'warn'>;
};

const delayMs = 1_000;

export function createStatusWriter({ stateFolder, status, log }: StatusWriterParts): StatusWriter {
  let timer: NodeJS.Timeout | null = null;
  let writing = Promise.resolve();
  let hasFailed = false;

  async function write(): Promise<void> {
    try {
      await writeStatus(stateFolder, await status());
      hasFailed = false;
    } catch (error) {
      // Once, and not with every report: the folder may be read-only for good.
      if (!hasFailed) log.warn({ cause: errorText(error) }, 'the status file cannot be written');
      hasFailed = true;
    }
  }

  function flush(): Promise<void> {
    if (timer) clearTimeout(timer);
    timer = null;
    writing = writing.then(write);
    return writing;
  }

  return {
    changed() {
      timer ??= setTimeout(flush, delayMs);
    },
    flush,
  };
}
