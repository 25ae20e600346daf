/** auth: whether it has to be known who asks, and what is there for browsers and the Python system. */
import ipaddr from 'ipaddr.js';
import type { ListenSettings } from './listen.ts';
import { parseChoice, parseSwitch } from './parse.ts';
import type { ReadSetting } from './read-setting.ts';

export type AuthSettings = {
  /** none: whoever reaches the API may do everything. @default none */
  auth: 'none' | 'required';
  /** The page for browsers. @default true */
  graphiql: boolean;
  /** Whether the schema may be asked for. @default true */
  introspection: boolean;
  /** The routes of the Python system. @default true */
  pythonRoutes: boolean;
};

export const authDefaults = {
  AUTH: 'none',
  GRAPHIQL: 'on',
  INTROSPECTION: 'on',
  PYTHON_ROUTES: 'on',
} as const;

export function readAuth(read: ReadSetting<keyof typeof authDefaults>): AuthSettings {
  return {
    auth: read('AUTH', (value) => parseChoice(value, ['none', 'required'])),
    graphiql: read('GRAPHIQL', parseSwitch),
    introspection: read('INTROSPECTION', parseSwitch),
    pythonRoutes: read('PYTHON_ROUTES', parseSwitch),
  };
}

/** Why an API with these settings must not start: it would tell the fleet to whoever can reach it. Null when it may. */
export function exposureProblem({
  host,
  auth,
}: Pick<ListenSettings & AuthSettings, 'host' | 'auth'>): string | null {
  if (auth === 'required' || isLoopback(host)) return null;
  return `HOST is ${host}, which other machines can reach, and AUTH is none: whoever reaches it could read and change
  everything. Set AUTH=required and make a token with "os-inspector-api token create", or leave HOST at 127.0.0.1.`;
}

function isLoopback(host: string): boolean {
  if (host.toLowerCase() === 'localhost') return true;
  return ipaddr.isValid(host) && ipaddr.process(host).range() === 'loopback';
}
