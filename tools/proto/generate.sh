#!/usr/bin/env bash
# Usage: generate.sh write|check go|es
# Generates into .buf/out first. `write` then replaces gen/, `check` compares with it and changes nothing. A failed
# generator therefore never leaves gen/ half written.
set -euo pipefail

mode=$1 language=$2
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

case $language in
go) template=buf.gen.yaml folders="gen/go gen/openapi" ;;
es) template=buf.gen.es.yaml folders="gen/es" ;;
*) echo "generate.sh: unknown language '$language', want go or es" >&2 && exit 2 ;;
esac

tools/proto/prepare.sh
out=.buf/out-$mode-$language
rm -rf "$out"
mkdir -p "$out"
go tool -modfile=tools/go.mod buf generate --template "$template" --output "$out"

stale=0
for folder in $folders; do
	case $mode in
	write)
		mkdir -p gen
		rm -rf "$folder"
		mv "$out/$folder" "$folder"
		;;
	check)
		diff --recursive --brief --new-file "$folder" "$out/$folder" || stale=1
		;;
	*) echo "generate.sh: unknown mode '$mode', want write or check" >&2 && exit 2 ;;
	esac
done
rm -rf "$out"

if ((stale)); then
	echo "gen: the files above are not what proto/ generates. Run ./task gen and commit gen/." >&2
	exit 1
fi
