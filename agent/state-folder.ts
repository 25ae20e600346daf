/** state-folder: where the agent keeps what must outlive it. */
import { join } from 'node:path';

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
  return join(xdg || join(home, '.local', 'state'), 'os-inspector');
}
