#!/usr/bin/env bash
# Compile requirements.txt from pyproject.toml: every dependency pinned, for every platform, without registry names.
set -euo pipefail
if ! command -v uv >/dev/null 2>&1; then
  echo "make lock needs uv: pip install uv" >&2
  exit 1
fi
uv pip compile pyproject.toml --extra test --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links \
  --no-header --quiet --output-file requirements.txt "$@"
