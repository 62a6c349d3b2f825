#!/usr/bin/env bash
# Puts validate.proto where buf.yaml expects it. The file comes out of the Go module cache, checked by the Go
# checksum database and once more here.
set -euo pipefail

version=v1.2.2
sum=a1dc1163ebac930b3b070655b91f2bc78df8b4aea940021661fe5ec7904a7b88

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
into=$root/.buf/protovalidate/buf/validate/validate.proto

holds() { [[ -f $1 ]] && echo "$sum  $1" | sha256sum --check --status; }

holds "$into" && exit 0
module=$(cd / && GOFLAGS=-mod=mod go mod download -json "github.com/bufbuild/protovalidate@$version" |
	sed -n 's/^[[:space:]]*"Dir": "\(.*\)",\{0,1\}$/\1/p')
from=$module/proto/protovalidate/buf/validate/validate.proto
if ! holds "$from"; then
	echo "proto: validate.proto of protovalidate $version is missing or is not the file this repository was made with" >&2
	exit 1
fi
install -D -m 0644 "$from" "$into"
