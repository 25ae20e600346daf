/** version: in place of agent/version.ts in a bundle, which has no package.json beside it. */
import packageJson from '../../../package.json' with { type: 'json' };

export function agentVersion(): string {
  return packageJson.version;
}
