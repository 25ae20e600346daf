#!/usr/bin/env bash
# Submits a report with curl, and asks for it back.
# OS_INSPECTOR_URL names the API; without it, the one that `npm start` runs.
set -euo pipefail

url="${OS_INSPECTOR_URL:-http://127.0.0.1:4000/graphql}"

# GraphQL answers its own errors with HTTP 200 as well, so the body has to be looked at.
ask() {
  local answer
  answer="$(curl --silent --show-error --fail --header 'content-type: application/json' --data "$1" "$url")"
  printf '%s\n' "$answer"
  case "$answer" in *'"errors"'*) return 1 ;; esac
}

host='0190c5a4-6b1e-7c3d-9e2f-3a5b7c9d1e2f'
now="$(date -u +%Y-%m-%dT%H:%M:%SZ)"

ask '{
  "query": "mutation ($input: SubmitReportInput!) { submitReport(input: $input) { duplicate report { id } } }",
  "variables": {
    "input": {
      "host": { "id": "'"$host"'", "name": "from-curl", "labels": { "site": "fra1" } },
      "collectedAt": "'"$now"'",
      "results": [
        { "plugin": "os", "version": 1, "status": "OK",
          "facts": { "platform": "linux", "distribution": "Debian GNU/Linux", "version": "12" } },
        { "plugin": "rack", "status": "OK", "facts": { "row": 7 } }
      ]
    }
  }
}'

ask '{
  "query": "query ($id: UUID!) { host(id: $id) { name labels os { distribution version } facts(plugin: \"rack\") } }",
  "variables": { "id": "'"$host"'" }
}'
