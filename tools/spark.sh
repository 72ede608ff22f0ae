#!/usr/bin/env bash
# What sources on Spark need besides the environment: PySpark from its lock file, and Java 17 or newer.
set -euo pipefail
venv=${1:-.venv}

java_of() { "$1" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -1; }

have_java() {
  for java in "${JAVA_HOME:+$JAVA_HOME/bin/java}" "$(command -v java || true)"; do
    if [ -n "$java" ] && [ -x "$java" ] && [ "$(java_of "$java")" -ge 17 ] 2>/dev/null; then return 0; fi
  done
  return 1
}

if ! have_java && command -v apt-get >/dev/null 2>&1; then
  run=()
  [ "$(id -u)" = 0 ] || run=(sudo -n)
  if "${run[@]}" true 2>/dev/null; then
    "${run[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${run[@]}" apt-get install -y -qq openjdk-17-jre-headless >/dev/null
  fi
fi
if ! have_java; then
  echo "Spark needs Java 17. Install it (Debian, Ubuntu: sudo apt-get install openjdk-17-jre-headless; macOS: brew" >&2
  echo "install openjdk@17) or set JAVA_HOME to one, and try again." >&2
  exit 1
fi

if command -v uv >/dev/null 2>&1; then
  uv pip install --quiet --python "$venv/bin/python" -r requirements-spark.txt
else
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r requirements-spark.txt
fi
echo "Spark is ready."
