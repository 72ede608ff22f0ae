#!/usr/bin/env bash
# Compile requirements.txt from pyproject.toml: every dependency pinned, for every platform, without registry names.
set -euo pipefail
uv=$(command -v uv || true)
if [ -z "$uv" ]; then
  # Only locking needs uv; it gets an environment of its own, outside the locked one.
  python3 -m venv .venv-lock
  .venv-lock/bin/python -m pip install --quiet --disable-pip-version-check uv
  uv=.venv-lock/bin/uv
fi
"$uv" pip compile pyproject.toml --extra test --universal --python-version 3.11 --no-emit-index-url \
  --no-emit-find-links --no-header --quiet --output-file requirements.txt "$@"
