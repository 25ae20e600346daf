/**
 * systemd-unit: reads a unit file of a service as far as an inventory needs it, systemd.unit(5) and systemd.service(5).
 */

export type ServiceUnit = {
  description: string | null;
  /** As Type= has it, or what systemd takes where there is none. */
  type: string;
  /** Whether it may be active without any process: it runs once, or counts as active after it ended. */
  mayLackProcesses: boolean;
  /** What its [Install] section allows: to be enabled, only along with others, or nothing. */
  install: 'installable' | 'indirect' | 'static';
};

const installable = ['WantedBy', 'RequiredBy', 'UpheldBy', 'Alias'];

export function parseServiceUnit(file: string): ServiceUnit {
  const values = parseUnitFile(file);
  const last = (key: string) => values.get(key)?.at(-1) || null;
  const has = (key: string) => values.get(key)?.some((value) => value !== '') ?? false;
  const type = last('Service.Type') ?? defaultType(has('Service.BusName'), has('Service.ExecStart'));
  return {
    description: last('Unit.Description'),
    type,
    mayLackProcesses:
      type === 'oneshot' || /^(?:yes|true|on|1)$/i.test(last('Service.RemainAfterExit') ?? ''),
    install: installable.some((key) => has(`Install.${key}`))
      ? 'installable'
      : has('Install.Also') || has('Install.DefaultInstance')
        ? 'indirect'
        : 'static',
  };
}

function defaultType(hasBusName: boolean, hasStart: boolean): string {
  if (hasBusName) return 'dbus';
  return hasStart ? 'simple' : 'oneshot';
}

/** Values by `Section.Key`, in the file's order. A backslash at the end of a line joins the next to it. */
function parseUnitFile(file: string): Map<string, string[]> {
  const values = new Map<string, string[]>();
  let section = '';
  const lines = file.split(/\r?\n/).filter((line) => !/^\s*[#;]/.test(line));
  for (const line of lines.join('\n').replaceAll('\\\n', ' ').split('\n')) {
    const [, heading] = /^\s*\[(.+)\]\s*$/.exec(line) ?? [];
    if (heading) section = heading;
    const [, key, value = ''] = /^\s*([A-Za-z]+)\s*=(.*)$/.exec(line) ?? [];
    if (!key) continue;
    const name = `${section}.${key}`;
    values.set(name, [...(values.get(name) ?? []), value.trim()]);
  }
  return values;
}
