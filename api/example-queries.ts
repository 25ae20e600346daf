/**
 * example-queries: the guided tour that GraphiQL opens with, a tab for each thing to learn.
 *
 * docs/queries.md shows the same queries with their answers, and tests run every one of them. They ask for what
 * any fleet has, be it one host, and for times before `now`.
 */

const dayMs = 24 * 60 * 60 * 1000;

/** @param now milliseconds since 1970; queries that begin on the same day of UTC are the same */
export function exampleQueries(now: number): readonly string[] {
  const dayAgo = (days: number) => {
    const midnight = Math.floor(now / dayMs) * dayMs;
    return new Date(midnight - days * dayMs).toISOString().replace('.000', '');
  };
  return [
    `# 1. A first look: the newest report.
# Ctrl-Enter runs a tab; the book at the left shows all
# that can be asked; Ctrl-Space completes what you type.
query FirstLook {
  reports(first: 1) {
    nodes {
      collectedAt
      host { name status }
      os { distribution version kernel }
      cpu { model threads utilization }
      network { primaryAddress }
      user { name }
    }
  }
}
`,
    `# 2. Hosts as they are now. Any fact that is in no list
# can order them; hosts that do not tell it come last.
query Hosts {
  hosts(
    first: 20
    orderBy: { fact: "os.kernel", direction: DESC }
  ) {
    totalCount
    nodes {
      name
      status
      lastSeenAt
      labels
      os { distribution version kernel }
    }
  }
}
`,
    `# 3. Filters follow the kind of a fact. Versions compare
# part by part (6.1.9 is before 6.1.90), or by a range.
# All that is given must hold; \`or\` and \`not\` combine.
query Filters {
  hosts(
    filter: {
      os: {
        platform: { eq: "linux" }
        distribution: { contains: "LINUX", ignoreCase: true }
        kernel: { matches: ">=4.18 <7 || 7.*" }
        bootedAt: { gte: "2020-01-01T00:00:00Z" }
      }
      cpu: { threads: { gte: 2 } }
      not: { os: { version: { lt: "12" } } }
    }
  ) {
    totalCount
    nodes {
      name
      os { distribution version kernel }
      cpu { threads }
    }
  }
}
`,
    `# 4. Lists: \`some\`, \`none\` or \`every\` element, \`length\`.
# All within one \`some\` holds for the same element: here
# an interface that is up, with an address in a subnet.
query Lists {
  hosts(
    filter: {
      network: {
        interfaces: {
          some: {
            state: { ne: "down" }
            addresses: {
              some: {
                address: { inSubnet: "0.0.0.0/0" }
                scope: { eq: "global" }
              }
            }
          }
          none: { name: { startsWith: "wg" } }
          every: { mtu: { gte: 1280 } }
          length: { lte: 64 }
        }
      }
    }
  ) {
    nodes {
      name
      network { interfaces { name mac state mtu } }
    }
  }
}
`,
    `# 5. Labels come from the agent's config. Results tell how
# each plugin fared: every host whose network plugin failed
# or timed out, and the production hosts beside them.
query Results {
  failing: hosts(
    filter: {
      result: { plugin: "network", status: [ERROR, TIMEOUT] }
    }
  ) {
    nodes {
      name
      reports(first: 1) {
        nodes { results { plugin status error } }
      }
    }
  }
  production: hosts(
    filter: {
      label: { name: "environment", eq: "production" }
      status: [ONLINE, LATE]
    }
  ) {
    nodes { name status labels }
  }
}
`,
    `# 6. \`fact\` compares any fact by its path, and \`facts\` gives
# all that a plugin told, as sent. Both also serve plugins
# that this server does not know, such as those of your own.
query AnyFact {
  hosts(
    first: 5
    filter: {
      fact: { path: "network.interfaces.mac", isNull: false }
    }
  ) {
    totalCount
    nodes { name facts(plugin: "user") }
  }
}
`,
    `# 7. The past: hosts as they were at any moment (\`asOf\`),
# and what a host had told by then (\`reportAt\`).
# Before its first report a host is not there.
query AsOf {
  then: hosts(asOf: "${dayAgo(3)}") {
    totalCount
    nodes { name status os { kernel } }
  }
  now: hosts(first: 20) {
    totalCount
    nodes {
      name
      os { kernel }
      then: reportAt(time: "${dayAgo(3)}") {
        collectedAt
        os { kernel }
      }
    }
  }
}
`,
    `# 8. Who changed from what to what, and when: fact by
# fact, the newest first; list elements by their key.
# More filters: path, plugin, host, hosts, from, to.
query Changes {
  changes(
    first: 20
    filter: { between: { start: "${dayAgo(7)}" } }
  ) {
    totalCount
    nodes { at host { name } path keys before after }
  }
  changedHosts: hosts(
    filter: { changedSince: "${dayAgo(2)}" }
  ) {
    nodes { name }
  }
}
`,
    `# 9. Hosts by the value of a fact, the most frequent
# first; \`value: null\` are hosts that told none. \`by\`
# groups those of each value. It takes \`asOf\` too.
query Counts {
  factCounts(
    path: "os.distribution"
    by: "os.version"
    first: 10
  ) {
    value
    hosts
    groups { value hosts }
  }
  codenames: factCounts(path: "os.codename") {
    value
    hosts
  }
}
`,
    `# 10. What the numbers that hosts tell come to; the
# median is the 50th percentile. \`filter\` and \`asOf\`
# as for hosts.
query Stats {
  factStats(path: "cpu.threads", by: "os.distribution") {
    count
    sum
    mean
    min
    median: percentile(of: 50)
    p95: percentile(of: 95)
    max
    groups { group count sum }
  }
}
`,
    `# 11. How many reports came, by the DAY or HOUR: a gap here
# is an outage there. It takes any filter of reports.
query PerDay {
  reportCounts(
    by: DAY
    filter: { collectedAt: { gte: "${dayAgo(7)}" } }
  ) {
    at
    reports
  }
}
`,
    `# 12. Live: each report as it is stored, through whichever
# API. Run it and wait for an agent; the same button
# stops it. factsChanged gives only what became another.
subscription Live {
  reportSubmitted {
    collectedAt
    host { name }
    os { kernel uptimeSeconds }
    changes { nodes { path before after } }
  }
}
`,
    `# 13. Pages: for the next one, write its endCursor below,
# in Variables: { "after": "…" }. What arrives meanwhile
# repeats no row and hides none. \`last\`, \`before\` go back.
query Pages($after: String) {
  hosts(first: 2, after: $after) {
    totalCount
    nodes { name }
    pageInfo { hasNextPage endCursor }
  }
}
`,
    `# 14. Limits: \`first\` is at most 1000; what would cost too
# much is refused before it runs. Lists in facts take
# \`first\` too; extensions.truncated names those cut without.
# Errors say what would do: misspell the path to see one.
query Limits {
  hosts(
    first: 2
    filter: { fact: { path: "os.kernel", isNull: false } }
  ) {
    nodes {
      name
      user { accounts(first: 1) { name shell } }
      network { interfaces(first: 1, offset: 1) { name } }
    }
  }
}
`,
    `# 15. What there is to ask: the plugins of this server,
# and the path of each fact, for \`fact\`, \`factCounts\` …
query Plugins {
  plugins {
    name
    version
    description
    facts { path kind unit comparison reading description }
  }
}
`,
  ];
}
