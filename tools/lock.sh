#!/bin/sh
# Write the lock files anew from pyproject.toml: pinned versions with hashes, no host names.
set -eu
cd "$(dirname "$0")/.."
compile() { .venv/bin/uv pip compile --python-version 3.11 --universal --generate-hashes --no-header --no-annotate --no-emit-index-url -q "$@"; }
held="$(mktemp)"; trap 'rm -f "$held"' EXIT
echo "pytest<9.2" > "$held"   # pytest-xdist 3.8 finds no groups of tests in 9.2; nbval brings pytest
compile pyproject.toml -c "$held" -o requirements.txt
# jsonschema makes a grammar of addresses wherever it finds these two, half a second at each start, for a check that nothing here asks for
compile pyproject.toml --extra dev -c requirements.txt --no-emit-package rfc3987-syntax --no-emit-package lark -o requirements-dev.txt
compile requirements-tools.in -c requirements-dev.txt -o requirements-tools.txt
echo "gbstats==0.8.0" | compile --no-deps - -o requirements-oracles.txt
