#!/usr/bin/env bash
# Fetches what the tests take from npm into tests/node/node_modules. Exit status 1, and a sentence, where it cannot.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v npm >/dev/null || scripts/debian.sh nodejs npm || exit 1
cd tests/node
[ node_modules/.package-lock.json -nt package-lock.json ] && exit 0
npm ci --silent --no-progress || { echo "Not here: the npm packages of tests/node; npm ci says why." >&2; exit 1; }
touch node_modules/.package-lock.json
