#!/bin/sh
# Print the path of a Chromium or Chrome; install Debian's where there is none and it may. Never silent about failing.
set -eu
for name in ${GAZETTE_BROWSER:-} chromium chromium-browser google-chrome google-chrome-stable chrome; do
  if command -v "$name" >/dev/null 2>&1; then
    command -v "$name"
    exit 0
  fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "browser: none found; installing Debian's chromium" >&2
  { apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install chromium; } >&2 || true
  command -v chromium && exit 0
fi
echo "browser: the browser tests need Chromium or Chrome, and none was found" >&2
echo "  mend: apt-get install chromium (as root), or set GAZETTE_BROWSER to one" >&2
exit 1
