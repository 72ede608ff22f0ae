#!/usr/bin/env bash
# The tests drive a Chromium. Install Debian's where that is allowed; otherwise say how.
set -euo pipefail
for name in chromium chromium-browser google-chrome; do
  if command -v "$name" >/dev/null 2>&1; then exit 0; fi
done
if command -v apt-get >/dev/null 2>&1; then
  run=()
  [ "$(id -u)" = 0 ] || run=(sudo -n)
  if "${run[@]}" true 2>/dev/null; then
    "${run[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${run[@]}" apt-get install -y -qq chromium >/dev/null
    exit 0
  fi
fi
echo "The site tests need Chromium. Install it (Debian, Ubuntu: sudo apt-get install chromium; macOS: brew install" >&2
echo "--cask chromium) or set CHROMIUM to the path of one, and run make test again." >&2
[ -n "${CHROMIUM:-}" ]
