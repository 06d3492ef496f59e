#!/usr/bin/env bash
# Serves everything on this machine. Where the data folder has no lake yet, an invented shop goes in first.
set -euo pipefail
cd "$(dirname "$0")/.."
home="${RAPPORT_HOME:-rapport-data}"
unfinished="$home/demo-unfinished"

# An installation whose stores were moved to a service is never somebody's first look.
moved="${RAPPORT_DATABASE_URL:-}${RAPPORT_LAKE_URL:-}${RAPPORT_SPOOL_URL:-}"
if [ -z "$moved" ] && { [ ! -e "$home/lake" ] || [ -e "$unfinished" ]; }; then
  echo "There is nothing in $home yet: an invented shop goes in, to look around with."
  mkdir -p "$home"
  touch "$unfinished" # a run that was interrupted is done again, and adds nothing twice
  .venv/bin/rapport init
  .venv/bin/rapport demo
  # Models take minutes on two cores; meanwhile there is enough to look at, and the top of each page says how far they are.
  .venv/bin/rapport insights run --soon
  rm "$unfinished"
fi
exec .venv/bin/rapport serve --port "${PORT:-8000}"
