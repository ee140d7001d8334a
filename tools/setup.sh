#!/bin/sh
# Make .venv with everything that is pinned in the lock files. Usage: tools/setup.sh run|dev
# Needs Python 3.11 or newer and the package registry; never root.
set -eu
cd "$(dirname "$0")/.."
what="${1:-run}"

fail() { echo "setup: $1" >&2; echo "  mend: $2" >&2; exit 1; }

find_python() {
  for name in ${PYTHON:-} python3.11 python3 python3.12 python3.13; do
    if command -v "$name" >/dev/null 2>&1 && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$name"
      return
    fi
  done
}

# Debian splits pip from Python. Its package can be unpacked without root; its wheel then runs from the archive.
pip_without_root() {
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
  scratch="$(mktemp -d)"
  ( cd "$scratch" && apt-get -q download python3-pip-whl >/dev/null 2>&1 && dpkg-deb -x python3-pip-whl_*.deb . ) || { rm -rf "$scratch"; return 1; }
  wheel="$(echo "$scratch"/usr/share/python-wheels/pip-*.whl)"
  .venv/bin/python "$wheel/pip" -q install --no-cache-dir pip
  rm -rf "$scratch"
}

python="$(find_python)"
[ -n "$python" ] || fail "no Python 3.11 or newer was found" "install it (Debian: apt-get install python3), or name it: make PYTHON=/path/to/python"
if [ ! -x .venv/bin/python ] || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
  rm -rf .venv
  echo "setup: making .venv with $("$python" --version)"
  if ! "$python" -m venv .venv >/dev/null 2>&1; then
    rm -rf .venv
    "$python" -m venv --without-pip .venv || fail "this Python cannot make virtual environments" "apt-get install python3-venv, then again"
    pip_without_root || { rm -rf .venv; fail "this Python comes without pip" "apt-get install python3-venv, then again"; }
  fi
fi
[ -f .venv/stamp-dev ] && what=dev   # never take the tests' packages away again
lock=requirements.txt
[ "$what" = dev ] && lock=requirements-dev.txt
echo "setup: installing what $lock pins"
.venv/bin/python -m pip -q --disable-pip-version-check install --require-hashes -r requirements-tools.txt ||
  fail "the installer could not be fetched" "check the network and the settings of pip (index, proxy)"
.venv/bin/uv -q pip sync --python .venv/bin/python --compile-bytecode --require-hashes requirements-tools.txt "$lock" ||
  fail "packages could not be installed" "check the network, the disk and the settings of uv (UV_INDEX_URL, proxy)"
.venv/bin/uv -q pip install --python .venv/bin/python --no-deps --no-build-isolation -e .
if [ "$what" = dev ]; then   # an oracle of the tests whose own pins would hold everything else back
  .venv/bin/uv -q pip install --python .venv/bin/python --no-deps --require-hashes -r requirements-oracles.txt
  touch .venv/stamp-dev
fi
touch .venv/stamp-run
