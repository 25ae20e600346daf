/**
 * example-queries: what GraphiQL opens with. Tests run every one of them.
 */
export const exampleQueries: readonly string[] = [
  `# The newest report. Ctrl-Enter runs it;
# the book at the left shows all there is.
query NewestReport {
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
  `# Every host as it is now, with what it runs.
query Hosts {
  hosts(first: 20, orderBy: { field: NAME, direction: ASC }) {
    totalCount
    nodes {
      id
      name
      status
      lastSeenAt
      os { distribution version kernel }
      network { interfaces { name mac addresses { address prefixLength } } }
    }
    pageInfo { hasNextPage endCursor }
  }
}
`,
  `# Filters follow the kind of each fact:
# text, number, version order, subnets, lists.
query OldKernels {
  hosts(
    filter: {
      os: { platform: { eq: "linux" }, kernel: { lt: "999" } }
      not: { network: { interfaces: { some: { addresses: { some: { address: { inSubnet: "198.51.100.0/24" } } } } } } }
    }
  ) {
    totalCount
    nodes { name os { kernel } }
  }
}
`,
  `# What each plugin of this server collects.
query Plugins {
  plugins {
    name
    version
    description
    facts { path kind unit description }
  }
}
`,
];
