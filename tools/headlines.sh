#!/usr/bin/env bash
# Run the notebooks on their defaults and keep the outputs of cells tagged nbval-check-output; strip all others.
set -euo pipefail
cd "$(dirname "$0")/.."
.venv/bin/python tools/headlines.py "$@"
