#!/usr/bin/env bash
# The whole suite on SQLite, then on a scratch PostgreSQL. What cannot run here is said, with the reason;
# in CI it is an error. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."

absent=""
scripts/debian.sh chromium || { echo "Browser tests will be skipped: there is no chromium."; absent="$absent chromium"; }
scripts/debian.sh postgresql || absent="$absent postgresql"
scripts/node.sh || { echo "Tests of the Segment client for Node and of accessibility will be skipped."; absent="$absent npm"; }
if [ -n "$absent" ] && [ -n "${CI:-}" ]; then
  echo "CI tests everything, and$absent could not be installed." >&2
  exit 1
fi

echo "== on SQLite"
.venv/bin/pytest -n auto "$@"

if .venv/bin/python scripts/with_postgres.py --check; then
  echo "== on PostgreSQL"
  .venv/bin/python scripts/with_postgres.py -- .venv/bin/pytest -n auto "$@"
else
  echo "== on PostgreSQL: skipped, for the reason above"
  [ -z "${CI:-}" ]
fi
