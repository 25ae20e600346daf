#!/usr/bin/env python3
"""Counts hosts by distribution and lists those with an old kernel, page by page, with requests.

python3 examples/fleet.py [kernel]
"""

import os
import sys

import requests

URL = os.environ.get("OS_INSPECTOR_URL") or "http://127.0.0.1:4000/graphql"

COUNTS = """
query Distributions {
  factCounts(path: "os.distribution", by: "os.version") { value hosts groups { value hosts } }
}
"""

OLD_KERNELS = """
query OldKernels($kernel: String!, $after: String) {
  hosts(first: 100, after: $after, filter: { os: { kernel: { lt: $kernel } } }) {
    nodes { name status os { kernel } }
    pageInfo { hasNextPage endCursor }
  }
}
"""


def ask(query, **variables):
    """The data of an answer; an error of GraphQL, which comes with HTTP 200 as well, ends the program."""
    response = requests.post(URL, json={"query": query, "variables": variables}, timeout=60)
    try:
        answer = response.json()
    except ValueError:
        sys.exit(f"{URL} answered {response.status_code}, and no JSON")
    if "data" not in answer or answer.get("errors"):
        sys.exit("; ".join(error["message"] for error in answer.get("errors", [])) or f"no data from {URL}")
    return answer["data"]


def old_kernels(kernel):
    """Every host whose kernel is before this one, in version order."""
    after = None
    while True:
        hosts = ask(OLD_KERNELS, kernel=kernel, after=after)["hosts"]
        yield from hosts["nodes"]
        if not hosts["pageInfo"]["hasNextPage"]:
            return
        after = hosts["pageInfo"]["endCursor"]


for count in ask(COUNTS)["factCounts"]:
    versions = ", ".join(f"{group['value'] or 'unknown'}: {group['hosts']}" for group in count["groups"])
    print(f"{count['hosts']}\t{count['value'] or 'unknown'}\t{versions}")

for host in old_kernels(sys.argv[1] if len(sys.argv) > 1 else "6.1.90"):
    print(f"{host['name']}\t{host['status']}\t{host['os']['kernel']}")
