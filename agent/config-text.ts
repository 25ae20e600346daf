/** config-text: a config as YAML with comments, for people to go on with. */
import { builtinPluginNames, builtinPlugins } from '../plugins/index.ts';

export type ConfigAnswers = {
  url: string;
  interval: string;
  labels: Readonly<Record<string, string>>;
  plugins: readonly string[];
};

export async function configText({ url, interval, labels, plugins }: ConfigAnswers): Promise<string> {
  const pairs = Object.entries(labels).map(([name, value]) => `  ${quoted(name)}: ${quoted(value)}`);
  const entries = await Promise.all(plugins.map((name) => listEntry(name)));
  const others = builtinPluginNames.filter((name) => !plugins.includes(name));
  const left = await Promise.all(others.map(async (name) => `  # ${(await listEntry(name)).trim()}`));
  return `# The os-inspector agent. "os-inspector-agent check" says what is wrong with this file; an agent that runs takes
# over what is changed here by itself.

# Where reports go.
api:
  url: ${quoted(url)}
  # The secret by which this host gets credentials of its own, or a token. Never the secret itself: only where it is.
  # enrolment: { file: /etc/os-inspector/enrolment }
  # token: { env: API_TOKEN }
  # token: { file: /etc/os-inspector/token }

# Time from one report to the next: 30s, 5m, 1h.
interval: ${quoted(interval)}

# Names and values of your own that reports carry, and that questions filter by.
${pairs.length > 0 ? `labels:\n${pairs.join('\n')}` : 'labels: {}\n#  environment: production\n#  site: fra1'}

# What is collected, in the order of the report.
plugins:
${[...entries, ...left].join('\n')}
  # One of your own, with all that any of them may have:
  # - use: ./plugins/rack.ts
  #   interval: 1d
  #   timeout: 5s
  #   options: { row: 7, password: { env: RACK_PASSWORD } }

# Time that each plugin has to collect.
# timeout: 10s

# Facts and readings that never leave this host.
# redact: [network.interfaces.mac, user.name]

# What is kept on the disk while the API does not take it.
# spool:
#   maxSize: 64MiB
#   maxAge: 7d

# What the daemon writes to standard output; by itself json, and pretty on a terminal.
# log:
#   format: json
#   level: info

# Where the daemon answers GET /metrics in the format of Prometheus; nowhere unless this is set.
# metrics:
#   listen: 127.0.0.1:9115
`;
}

async function listEntry(name: string): Promise<string> {
  const builtIn = Object.entries(builtinPlugins).find(([known]) => known === name);
  if (!builtIn) return `  - ${quoted(name)}`;
  const { default: plugin } = await builtIn[1]();
  return `  - ${name} # ${plugin.description}`;
}

/** JSON's way is one of YAML's. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
