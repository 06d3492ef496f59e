#!/usr/bin/env bash
# Serves everything on this machine. Where the data folder is empty, an invented shop is put into it first.
set -euo pipefail
cd "$(dirname "$0")/.."
home="${RAPPORT_HOME:-rapport-data}"
unfinished="$home/demo-unfinished"

# An installation whose stores were moved to a service is never somebody's first look.
moved="${RAPPORT_DATABASE_URL:-}${RAPPORT_LAKE_URL:-}${RAPPORT_SPOOL_URL:-}"
if [ -z "$moved" ] && { [ -z "$(ls -A "$home" 2>/dev/null)" ] || [ -e "$unfinished" ]; }; then
  echo "The data folder $home is empty: an invented shop goes in, to look around with."
  mkdir -p "$home"
  touch "$unfinished" # a run that was interrupted is done again, and adds nothing twice
  .venv/bin/rapport init
  .venv/bin/rapport demo
  rm "$unfinished"
fi
exec .venv/bin/rapport serve --port "${PORT:-8000}"
