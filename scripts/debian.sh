#!/usr/bin/env bash
# Makes sure that Debian packages are there: installs the missing ones where it may (root and apt-get).
# Exit status 1, and a sentence, where some are still missing.
set -euo pipefail

missing() {
  local package
  for package in "$@"; do
    if command -v dpkg-query >/dev/null; then
      dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || echo "$package"
    else
      echo "$package"
    fi
  done
}

wanted="$(missing "$@")"
[ -n "$wanted" ] || exit 0
wanted_line="$(echo $wanted)"
if ! command -v apt-get >/dev/null; then
  echo "Not here: $wanted_line. This is not a Debian system; install them its own way." >&2
  exit 1
fi
if [ "$(id -u)" != 0 ]; then
  echo "Not here: $wanted_line. Only root may install them: sudo apt-get install $wanted_line" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
echo "Installing $wanted_line"
{ apt-get update -qq && apt-get install -qq -y --no-install-recommends $wanted; } >/tmp/rapport-apt.log 2>&1 </dev/null || {
  tail -n 5 /tmp/rapport-apt.log >&2
  echo "Not here: $wanted_line. apt-get could not install them; /tmp/rapport-apt.log says why." >&2
  exit 1
}
