/** describe-status: what is not well with an agent, and its status as text for people; pure. */
import type { AgentStatus, PluginState } from './agent-status.ts';
import { fromNow, roughBytes, roughDuration } from './rough.ts';
import type { SpoolFigures } from './spool-figures.ts';

/** What `status` found, and what it shows with `--json`. */
export type StatusView = {
  isRunning: boolean;
  stateFolder: string;
  /** What the daemon said last; null when none has run with this state folder. */
  status: AgentStatus | null;
  /** As it is now; null when it cannot be read. */
  spool: SpoolFigures | null;
};

/** A report may take its time, and a machine sleep, before it counts as missing. */
const graceMs = 60_000;

/** Each with what to do; none when all is well. `now` is milliseconds since 1970. */
export function problemsOf({ isRunning, stateFolder, status }: StatusView, now: number): string[] {
  if (status === null) {
    return [
      `no agent has run with the state folder ${stateFolder}: start one with "os-inspector-agent run", or name its folder with --state`,
    ];
  }
  const { agent, delivery, nextReportAt, plugins } = status;
  if (!isRunning) {
    const how = agent.stoppedAt
      ? `stopped ${fromNow(agent.stoppedAt, now)}`
      : `with pid ${agent.pid} has ended without a word: look at its log`;
    return [`no agent is running: the last one ${how}; start it with "os-inspector-agent run"`];
  }
  const problems: string[] = [];
  const lateMs = nextReportAt === null ? 0 : now - Date.parse(nextReportAt);
  if (lateMs > agent.intervalSeconds * 1_000 + graceMs) {
    problems.push(
      `no report is told of, ${roughDuration(lateMs)} after it was due: the agent hangs, was stopped by a signal, or cannot write ${stateFolder}; look at its log`,
    );
  }
  if (delivery.error !== null) {
    problems.push(`reports are not delivered: ${delivery.error}; "os-inspector-agent doctor" finds out why`);
  }
  for (const { name, status, error } of plugins) {
    if (error !== null) problems.push(`plugin ${name}: ${status === 'SKIPPED' ? '' : `${status}: `}${error}`);
  }
  if (status.spool.memoryReports > 0) {
    problems.push(
      `${status.spool.memoryReports} reports are only in memory: make ${stateFolder} writable, or make room on its disk`,
    );
  }
  return problems;
}

export function describeStatus(view: StatusView, now: number): string {
  const { status } = view;
  const problems = problemsOf(view, now);
  const ending =
    problems.length === 0 ? ['all is well'] : ['not well:', ...problems.map((problem) => `  ${problem}`)];
  if (status === null) return `${[`state      ${view.stateFolder}`, '', ...ending].join('\n')}\n`;
  const rows = [
    ['agent', agentLine(view, now)],
    ['config', status.agent.config ?? 'none: defaults and environment'],
    ['state', view.stateFolder],
    ['report', reportLine(status, now)],
    ['next', view.isRunning && status.nextReportAt ? at(status.nextReportAt, now) : 'none'],
    ['API', deliveryLine(status, now)],
    ['spool', spoolLine(view, now)],
  ];
  const lines = rows.map(([name = '', text]) => `${name.padEnd(9)}  ${text}`);
  return `${[...lines, '', ...pluginLines(status.plugins, now), '', ...ending].join('\n')}\n`;
}

function at(time: string, now: number): string {
  return `${time} (${fromNow(time, now)})`;
}

function agentLine({ isRunning, status }: StatusView, now: number): string {
  if (!status) return '';
  const { version, pid, startedAt, stoppedAt } = status.agent;
  if (isRunning) return `${version}, running with pid ${pid} since ${at(startedAt, now)}`;
  return `${version}, not running; ${stoppedAt ? `stopped ${at(stoppedAt, now)}` : `it had pid ${pid}`}`;
}

function reportLine({ lastReport }: AgentStatus, now: number): string {
  if (!lastReport) return 'none yet';
  const { id, collectedAt, acknowledgedAt } = lastReport;
  const told = acknowledgedAt ? `acknowledged ${acknowledgedAt}` : 'not acknowledged';
  return `${id}, collected ${at(collectedAt, now)}, ${told}`;
}

function deliveryLine({ agent, delivery }: AgentStatus, now: number): string {
  const counts = [
    `${delivery.acknowledgedReports} reports acknowledged`,
    `${delivery.failures} failures`,
    `${delivery.refusedReports} refused`,
    `${delivery.droppedReports} dropped`,
  ].join(', ');
  const retry = delivery.retryAt ? `; tried again ${fromNow(delivery.retryAt, now)}` : '';
  return `${agent.url ?? 'none'}: ${counts}${retry}`;
}

function spoolLine({ spool, status }: StatusView, now: number): string {
  if (!spool) return 'cannot be read: ask as the account of the agent';
  const most = status ? ` of ${roughBytes(status.spool.maxBytes)}` : '';
  const parts = [`${spool.reports} reports, ${roughBytes(spool.bytes)}${most}`];
  if (spool.oldestAt) parts.push(`the oldest collected ${at(spool.oldestAt, now)}`);
  if (status?.spool.memoryReports) parts.push(`${status.spool.memoryReports} more in memory`);
  if (spool.deadLetters > 0) parts.push(`${spool.deadLetters} dead letters in dead-letter/`);
  if (spool.damaged > 0) parts.push(`${spool.damaged} damaged in spool/damaged/`);
  return parts.join(', ');
}

const headings = ['plugin', 'status', 'took', 'last OK', 'next'];

function pluginLines(plugins: readonly PluginState[], now: number): string[] {
  if (plugins.length === 0) return ['no plugin has been asked yet'];
  const rows = plugins.map(({ name, status, durationMs, lastOkAt, nextAt }) => [
    name,
    status,
    durationMs === null ? '-' : `${durationMs.toFixed(1)} ms`,
    lastOkAt ? fromNow(lastOkAt, now) : '-',
    nextAt ? fromNow(nextAt, now) : '-',
  ]);
  const all = [headings, ...rows];
  const widths = headings.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
  return all.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
