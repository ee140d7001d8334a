#!/bin/sh
# See that a PostgreSQL server is there for the tests; install Debian's where it is not and it may.
set -eu
there() { command -v initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; }
there && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "postgres: initdb not found; installing Debian's postgresql" >&2
  mkdir -p /etc/postgresql-common/createcluster.d   # the tests start a server of their own; none is to run beside it
  echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.d/gazette.conf
  { apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install postgresql; } >&2 || true
  there && exit 0
fi
echo "postgres: the tests of warehouses need PostgreSQL's server (initdb, postgres), which was not found" >&2
echo "  mend: apt-get install postgresql (as root)" >&2
exit 1
