#!/bin/sh
# Write the lock files anew from pyproject.toml: pinned versions with hashes, no host names.
set -eu
cd "$(dirname "$0")/.."
compile() { .venv/bin/uv pip compile --python-version 3.11 --universal --generate-hashes --no-header --no-annotate --no-emit-index-url -q "$@"; }
compile pyproject.toml -o requirements.txt
compile pyproject.toml --extra dev -c requirements.txt -o requirements-dev.txt
compile requirements-tools.in -c requirements-dev.txt -o requirements-tools.txt
echo "gbstats==0.8.0" | compile --no-deps - -o requirements-oracles.txt
