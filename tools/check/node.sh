#!/usr/bin/env bash
# Succeeds when this machine can build the console: npm, and Node 20.19 or newer.
set -euo pipefail

command -v npm >/dev/null && command -v node >/dev/null
node -e 'const [major, minor] = process.versions.node.split(".").map(Number); process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)'
