#!/usr/bin/env bash
# Puts the native Pact library into .pact/lib. It comes from npm, pinned by package-lock.json with its sha512.
# Elsewhere than on x86-64 Linux with glibc, pact-go's own installer fetches it.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
into=../../.pact/lib
mkdir -p "$into"

if [[ $(uname -sm) != "Linux x86_64" ]]; then
	into=$(cd "$into" && pwd -P)
	cd ../.. && exec go run github.com/pact-foundation/pact-go/v2 install --libDir "$into"
fi

npm ci --ignore-scripts --silent
from=node_modules/@pact-foundation/pact-core-linux-x64-glibc/prebuilds/linux-x64/libpact_ffi.so
# An interrupted download leaves an empty file, and the linker's message about it helps nobody.
if [[ ! -s $from ]]; then
	echo "pact: $from is missing or empty. Remove tools/pact/node_modules and run ./task setup again." >&2
	exit 1
fi
install -m 0644 "$from" "$into/libpact_ffi.so.new"
mv "$into/libpact_ffi.so.new" "$into/libpact_ffi.so"
