#!/usr/bin/env bash
# Every linter, all of them even where one fails. Exit status 1 where any did.
set -uo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
failed=""

check() {
  local name="$1"
  shift
  local output
  if output="$("$@" 2>&1)"; then
    echo "ok    $name"
  else
    echo "$output"
    echo "FAIL  $name"
    failed="$failed $name"
  fi
}

# Whatever loads Django's settings does so over a scratch folder, never over somebody's data.
scratch="$(mktemp -d)"
trap 'rm -r "$scratch"' EXIT
export RAPPORT_HOME="$scratch" DJANGO_SETTINGS_MODULE=rapport.web.settings

check "ruff" ruff check .
check "ruff-format" ruff format --check .
check "mypy" mypy
check "import-linter" lint-imports --no-cache
check "djlint" djlint src --lint --quiet
check "codespell" codespell src tests docs scripts README.md CONTRIBUTING.md CHANGELOG.md Makefile
check "migrations" python -W error -m django makemigrations --check --dry-run
check "django-check" python -W error -m django check
check "lock" sh -c 'uv="$(command -v uv || echo .tools/bin/uv)"; [ ! -x "$uv" ] || UV_PYTHON_DOWNLOADS=never "$uv" lock --check --offline --quiet'

[ -z "$failed" ] || { echo "Not clean:$failed"; exit 1; }
