/** state-folder: where the agent keeps what must outlive it. */
import { isAbsolute, join } from 'node:path';

export type StateFolderHints = {
  /** `--state`. */
  option?: string | undefined;
  /** `STATE_DIRECTORY`, which systemd sets for a unit with `StateDirectory=`; may list several. */
  systemd?: string | undefined;
  /** `XDG_STATE_HOME`. */
  xdg?: string | undefined;
  home: string;
  isRoot: boolean;
};

/** The first that applies: the option, systemd's folder, the system's for root, the user's own. */
export function chooseStateFolder({ option, systemd, xdg, home, isRoot }: StateFolderHints): string {
  if (option) return option;
  const [first] = (systemd ?? '').split(':');
  if (first) return first;
  if (isRoot) return '/var/lib/os-inspector';
  // A relative one is to be ignored: https://specifications.freedesktop.org/basedir/latest/#variables.
  const base = xdg && isAbsolute(xdg) ? xdg : join(home, '.local', 'state');
  return join(base, 'os-inspector');
}
