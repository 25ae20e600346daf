/**
 * enrolling-api: a server on loopback that lets nobody in without credentials: enrolment secrets, tokens and the credentials of
 * hosts, as the API does. Whoever is refused is told so in its words.
 */
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { type ReceivedRequest, respond, type StubApi, startStubApi } from './stub-api.ts';

export type EnrollingApi = StubApi & {
  /** How many times each secret enrols yet. */
  secrets: Map<string, number>;
  /** Credentials by host; one that is taken out is revoked. */
  credentials: Map<string, string>;
  tokens: Set<string>;
  /** Ids of the reports that were taken. */
  taken: string[];
  enrolments(): ReceivedRequest[];
};

type Input = { id: string; host: { id: string } };
type Refusal = { code: string; message: string; path: string[]; retryAfterSeconds: null };
type Taken = { payload: object | null; error: Refusal | null };
/** Null for whoever is not let in. */
type Answered = { data: object | null; errors?: object[] } | null;

/** Listens until the test ends. */
export async function startEnrollingApi(secret: string, uses = 1): Promise<EnrollingApi> {
  const secrets = new Map([[secret, uses]]);
  const credentials = new Map<string, string>();
  const tokens = new Set<string>();
  const taken: string[] = [];

  function take({ id, host }: Input, shown: string): Taken {
    if (!tokens.has(shown) && credentials.get(host.id) !== shown) {
      return {
        payload: null,
        error: { code: 'FORBIDDEN', message: 'not of this host', path: [], retryAfterSeconds: null },
      };
    }
    taken.push(id);
    return { payload: { duplicate: false, report: { id } }, error: null };
  }

  function answerTo({ headers, query, variables }: ReceivedRequest): Answered {
    const shown = headers.authorization?.replace('Bearer ', '') ?? '';
    const isHost = [...credentials.values()].includes(shown);
    if (!secrets.has(shown) && !isHost && !tokens.has(shown)) return null;
    if (query.includes('enrolHost')) {
      const left = secrets.get(shown) ?? 0;
      if (left < 1) return null;
      secrets.set(shown, left - 1);
      const credential = `osi_h_${randomBytes(32).toString('base64url')}`;
      credentials.set(variables.hostId, credential);
      return { data: { enrolHost: { credential, hostId: variables.hostId, expiresAt: null } } };
    }
    const submitReports = variables?.inputs?.map((input: Input) => take(input, shown));
    if (submitReports) return { data: { submitReports } };
    if (!variables?.input) return { data: { __typename: 'Query' } };
    const { payload, error } = take(variables.input, shown);
    if (payload) return { data: { submitReport: payload } };
    return { data: null, errors: [{ message: error?.message, extensions: { code: error?.code } }] };
  }

  function answer(request: ReceivedRequest, response: ServerResponse): void {
    const answered = answerTo(request);
    if (answered) respond(response, 200, answered);
    else unauthenticated(response);
  }

  const api = await startStubApi(answer);
  const enrolments = () => api.requests.filter(({ query }) => query.includes('enrolHost'));
  return { ...api, secrets, credentials, tokens, taken, enrolments };
}

function unauthenticated(response: ServerResponse): void {
  response.setHeader('www-authenticate', 'Bearer realm="os-inspector"');
  respond(response, 401, {
    errors: [{ message: 'credentials are needed', extensions: { code: 'UNAUTHENTICATED' } }],
  });
}
