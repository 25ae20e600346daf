/** refusal-response: why a request is refused before it is known whose form of errors it expects: GraphQL's, or the other routes'. */

/** One body that both read. */
export function refusalResponse(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): Response {
  const errors = [{ message, extensions: { code } }];
  return Response.json({ status: 'error', error: message, errors }, { status, headers });
}
