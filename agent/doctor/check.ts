/** check: what `doctor` found about one thing, and how that is shown. */

export const checkStatuses = ['OK', 'WARNING', 'FAILED', 'SKIPPED'] as const;

export type Check = {
  name: string;
  /** WARNING: reports arrive, and something should be looked at. SKIPPED: there is no use in trying. */
  status: (typeof checkStatuses)[number];
  detail: string;
  /** What the operator can do; null when there is nothing to do. */
  todo: string | null;
};

export function ok(name: string, detail: string): Check {
  return { name, status: 'OK', detail, todo: null };
}

export function warning(name: string, detail: string, todo: string | null): Check {
  return { name, status: 'WARNING', detail, todo };
}

export function failed(name: string, detail: string, todo: string | null): Check {
  return { name, status: 'FAILED', detail, todo };
}

export function skipped(name: string, detail: string): Check {
  return { name, status: 'SKIPPED', detail, todo: null };
}

export function describeCheck({ name, status, detail, todo }: Check): string {
  const line = `${status.padEnd(7)}  ${name}: ${detail}\n`;
  return todo === null ? line : `${line}         -> ${todo}\n`;
}
