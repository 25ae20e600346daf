#!/usr/bin/env bash
# Follows reports as they are stored, or what changes with "changes", until it is stopped: server-sent events with curl.
# OS_INSPECTOR_URL names the API; without it, the one that `npm start` runs.
set -euo pipefail

url="${OS_INSPECTOR_URL:-http://127.0.0.1:4000/graphql}"

reports='subscription { reportSubmitted { collectedAt host { name } os { kernel } } }'
changes='subscription { factsChanged { at host { name } path before after } }'

case "${1:-reports}" in
  reports) query="$reports" ;;
  changes) query="$changes" ;;
  *) echo "usage: $0 [reports|changes]" >&2; exit 2 ;;
esac

# Lines of data are events; the others keep the connection open.
exec curl --no-buffer --silent --show-error --fail \
  --header 'accept: text/event-stream' --header 'content-type: application/json' \
  --data "{ \"query\": \"$query\" }" "$url"
