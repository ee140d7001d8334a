#!/bin/sh
# See that Prometheus and Alertmanager are there for the tests; install Debian's where they are not and it may.
set -eu
missing() { for name in prometheus promtool prometheus-alertmanager amtool; do command -v "$name" >/dev/null 2>&1 || { echo "$name"; return; }; done; }
[ -z "$(missing)" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "monitoring: $(missing) not found; installing Debian's prometheus and prometheus-alertmanager" >&2
  { apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install prometheus prometheus-alertmanager; } >&2 || true
  [ -z "$(missing)" ] && exit 0
fi
echo "monitoring: the tests of exported rules and routes need $(missing), which was not found" >&2
echo "  mend: apt-get install prometheus prometheus-alertmanager (as root)" >&2
exit 1
