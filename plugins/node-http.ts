/**
 * node-http: Node's HTTP client and server, taken so that nothing else comes along.
 *
 * To an import of `node:http` Node shows all that the module exports, and so loads its `fetch` and WebSocket: 15 MiB that an
 * agent has no use for. TLS is another 8, for those alone who need it.
 */
export const nodeHttp = () => process.getBuiltinModule('node:http');
export const nodeHttps = () => process.getBuiltinModule('node:https');
export const nodeTls = () => process.getBuiltinModule('node:tls');
