/**
 * python-routes: the HTTP routes of the Python system, so that its agents and clients go on working.
 */

import { scalarKinds } from '../plugins/fact.ts';
import { isForbidden } from './auth/forbidden.ts';
import { hasScope, type Identity } from './auth/identity.ts';
import { narrowedIndex } from './auth/narrowed-reader.ts';
import { refusal } from './auth/scopes.ts';
import type { Services } from './context.ts';
import { toComparable } from './index/comparable.ts';
import type { ReportFilter } from './index/filter.ts';
import { tooManyResponse } from './limits/rate-limits.ts';
import { fromPython, pythonReportSchema, toPython } from './python-report.ts';

/** `POST /report`: stores a flat report. 200 `{"status":"success"}`, 400 with every problem, 403 without the scope submit. */
export async function postPythonReport(
  request: Request,
  services: Services,
  identity: Identity,
): Promise<Response> {
  if (!hasScope(identity, 'submit')) return refused('POST /report', 'submit', identity);
  let body: unknown;
  try {
    // Without the byte order mark that some clients write first; JSON has none.
    body = JSON.parse(new TextDecoder().decode(await request.arrayBuffer()));
  } catch {
    return problem(400, 'the body must be JSON');
  }
  const { data, error } = pythonReportSchema.safeParse(body);
  if (!data) {
    const problems = error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`);
    return problem(400, problems.join('; '));
  }
  const { refused: tooMany } = await services.limits.takeReports(identity, 1);
  if (tooMany) return tooManyResponse(tooMany, false);
  const report = fromPython(data, services.now());
  try {
    await services.admission.check(identity, report.host, ['host']);
  } catch (cause) {
    if (isForbidden(cause)) return problem(403, cause.message);
    throw cause;
  }
  await services.intake.submit(report);
  return Response.json({ status: 'success' });
}

/** `GET /report?ip=`: the newest report of that address, whichever agent sent it. 404 where there is none for who asks. */
export async function getPythonReport(url: URL, { index }: Services, identity: Identity): Promise<Response> {
  if (!hasScope(identity, 'read')) return refused('GET /report', 'read', identity);
  const ip = url.searchParams.get('ip');
  if (!ip) return problem(400, 'the query must name an address: /report?ip=10.0.0.1');
  if (!scalarKinds.ip.schema.safeParse(ip).success) return problem(400, `ip: not an address: ${ip}`);
  const order = { field: 'COLLECTED_AT', direction: 'DESC' } as const;
  const own = narrowedIndex(index, identity.narrowedTo);
  const [newest] = await own.reports({ filter: toldAddress(ip), order }, { limit: 1 });
  if (!newest) return problem(404, `no report of ${ip}`);
  return Response.json({ report: toPython(newest, ip) });
}

function toldAddress(ip: string): ReportFilter {
  const tests = [{ op: 'eq' as const, value: toComparable('ip', ip) }];
  const path = 'network.primaryAddress';
  return { kind: 'facts', plugin: 'network', conditions: [{ kind: 'value', path, column: 'text', tests }] };
}

function refused(route: string, need: 'submit' | 'read', identity: Identity): Response {
  return problem(403, refusal({ field: route, needs: [need] }, identity).message);
}

function problem(status: number, message: string): Response {
  return Response.json({ status: 'error', error: message }, { status });
}
