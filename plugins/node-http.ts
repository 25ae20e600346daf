/**
 * node-http: Node's HTTP client and server, taken so that nothing else comes along.
 *
 * To an import of `node:http` Node shows all that the module exports, and so loads its `fetch` and WebSocket, which an agent has
 * no use for: 15 MiB at first, of which 4 stay once garbage was collected. TLS is loaded by those alone who need it.
 */
export const nodeHttp = () => process.getBuiltinModule('node:http');
export const nodeHttps = () => process.getBuiltinModule('node:https');
export const nodeTls = () => process.getBuiltinModule('node:tls');
