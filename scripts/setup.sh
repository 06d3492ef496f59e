#!/usr/bin/env bash
# Builds .venv from the lock file. Needs Python 3.11 or later with pip; never needs root.
# Arguments go to uv sync. Nothing is done where .venv is already what the lock file says.
set -euo pipefail
cd "$(dirname "$0")/.."

python="${PYTHON:-python3}"
if ! command -v "$python" >/dev/null; then
  echo "Rapport needs Python 3.11 or later, and there is no '$python' here. On Debian: apt-get install python3 python3-pip" >&2
  exit 1
fi
# The interpreter itself, not a shim in front of it, so that .venv goes on working from any folder.
python="$("$python" -c 'import sys; print(sys.executable)')"
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "Rapport needs Python 3.11 or later; $python is $("$python" -V). Name another one: make setup PYTHON=python3.12" >&2
  exit 1
fi

uv="$(command -v uv || true)"
if [ -z "$uv" ]; then
  uv=.tools/bin/uv
  if [ ! -x "$uv" ]; then
    # pip --target neither touches the system's packages nor needs python3-venv, which Debian leaves out.
    if ! "$python" -m pip --version >/dev/null 2>&1; then
      echo "Rapport is installed with uv, and neither uv nor pip is here to fetch it. On Debian: apt-get install python3-pip" >&2
      exit 1
    fi
    echo "Fetching uv into .tools"
    "$python" -m pip install --quiet --disable-pip-version-check --no-warn-script-location --root-user-action ignore --target .tools uv
  fi
fi

# No interpreter is ever downloaded: the one that was found, or the one .venv already has, is used.
export UV_PYTHON_DOWNLOADS=never
if [ -x .venv/bin/python ] && .venv/bin/python -c '' 2>/dev/null; then
  python=.venv/bin/python
fi
# Compiled once, here: where Python may not keep what it compiles, each start would take three times as long.
"$uv" sync --quiet --frozen --compile-bytecode --extra postgres --python "$python" "$@"
touch .venv/.synced
