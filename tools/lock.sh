#!/usr/bin/env bash
# Compile requirements.txt from pyproject.toml: every dependency pinned, for every platform, without registry names;
# and requirements-spark.txt, which holds what the extra 'spark' adds to it.
set -euo pipefail
uv=$(command -v uv || true)
if [ -z "$uv" ]; then
  # Only locking needs uv; it gets an environment of its own, outside the locked one.
  python3 -m venv .venv-lock
  .venv-lock/bin/python -m pip install --quiet --disable-pip-version-check uv
  uv=.venv-lock/bin/uv
fi
options=(--universal --python-version 3.11 --no-emit-index-url --no-emit-find-links --no-header --quiet)
"$uv" pip compile pyproject.toml --extra test "${options[@]}" --output-file requirements.txt "$@"
python3 - <<'EXTRA' | "$uv" pip compile - --constraint requirements.txt "${options[@]}" --output-file requirements-spark.txt "$@"
import tomllib
print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["spark"], sep="\n")
EXTRA
