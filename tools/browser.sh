#!/bin/sh
# Print the path of a Chromium or Chrome; install Debian's where there is none and it may. Never silent about failing.
# The headless shell goes first: the same engine without a window's parts, for half the processor time.
set -eu
found() {
  for name in "$@"; do
    if command -v "$name" >/dev/null 2>&1; then
      command -v "$name"
      return 0
    fi
  done
  return 1
}
found ${GAZETTE_BROWSER:-} chromium-headless-shell && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "browser: installing Debian's chromium-headless-shell" >&2
  { apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install chromium-headless-shell; } >&2 || true
  found chromium-headless-shell && exit 0
fi
found chromium chromium-browser google-chrome google-chrome-stable chrome && exit 0
echo "browser: the browser tests need Chromium or Chrome, and none was found" >&2
echo "  mend: apt-get install chromium-headless-shell (as root), or set GAZETTE_BROWSER to one" >&2
exit 1
