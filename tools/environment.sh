#!/usr/bin/env bash
# Make the project's own environment from the lock file: with uv where it is there, with pip where not.
set -euo pipefail
venv=${1:-.venv}

pick_python() {
  for candidate in "${PYTHON_FOR_VENV:-}" python3.13 python3.12 python3.11 python3; do
    [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 || continue
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo "$candidate"; return; fi
  done
  echo "Python 3.11 or newer is needed and was not found on the PATH." >&2
  exit 1
}

if command -v uv >/dev/null 2>&1; then
  [ -x "$venv/bin/python" ] || uv venv --quiet --python ">=3.11" "$venv"
  uv pip install --quiet --python "$venv/bin/python" -r requirements.txt
  uv pip install --quiet --python "$venv/bin/python" --no-deps -r requirements-data.txt
  uv pip install --quiet --python "$venv/bin/python" --no-deps --editable .
else
  [ -x "$venv/bin/python" ] || "$(pick_python)" -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r requirements.txt
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-data.txt
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --editable .
fi
echo "The environment in $venv is ready."
