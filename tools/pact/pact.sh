#!/usr/bin/env bash
# Usage: pact.sh consumers DIR | compare DIR | update DIR | providers
#   consumers  run every consumer's tests; they write their pacts into DIR, which is emptied first
#   compare    fail when DIR differs from the committed pacts/
#   update     replace the files in pacts/ by those in DIR
#   providers  verify the committed pacts, or the broker's when PACT_BROKER_BASE_URL is set
# A Go test belongs to a step by its name, TestConsumer... or TestProvider..., in a file with the build tag pact. Only
# the packages that hold such tests are compiled with the tag.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD
console=services/console
# The library tells its makers of every installation unless asked not to.
export PACT_DO_NOT_TRACK=true

# go_packages lists the packages with a test named for $1.
go_packages() {
	grep -rlE --include='*_test.go' '^//go:build .*\bpact\b' services |
		xargs -r grep -lE "^func Test$1" |
		xargs -r -n 1 dirname | sort -u | sed 's|^|./|'
}

go_tests() { # $1: Consumer or Provider, $2: packages
	local lib=$root/.pact/lib
	if ! compgen -G "$lib/libpact_ffi.*" >/dev/null || [[ -n $(find "$lib" -name 'libpact_ffi.*' -size 0) ]]; then
		echo "pact: the native Pact library is missing. Run ./task setup." >&2
		return 1
	fi
	# The library must be loadable where the tests run, so its folder goes into the binary. One package at a time (-p 1):
	# two processes that merge into the same pact at once lose interactions.
	# shellcheck disable=SC2086 # one argument per package
	CGO_ENABLED=1 CGO_LDFLAGS="-L$lib -Wl,-rpath,$lib" \
		go test -tags=pact -count=1 -p 1 -run "^Test$1" $2
}

has_console_pacts() {
	[[ -f $console/package.json ]] && node -e 'process.exit(require(process.argv[1]).scripts?.pact ? 0 : 1)' "$root/$console/package.json"
}

case $1 in
consumers)
	mkdir -p "$2"
	PACT_DIR=$(cd "$2" && pwd -P)
	export PACT_DIR
	# Pact merges into a file that exists, so an interaction nobody expects any more would stay for ever.
	find "$PACT_DIR" -mindepth 1 -delete
	packages=$(go_packages Consumer || true)
	if [[ -n $packages ]]; then
		go_tests Consumer "$packages"
	fi
	if has_console_pacts; then
		npm --prefix "$console" run --silent pact
	fi
	;;
compare)
	mkdir -p pacts
	if ! diff --recursive --unified --new-file --exclude='*.md' pacts "$2"; then
		echo "pact: what the consumers expect (+) is not what pacts/ says (-). If the change is meant, run ./task pact:update and commit pacts/." >&2
		exit 1
	fi
	;;
update)
	mkdir -p pacts
	find pacts -name '*.json' -delete
	cp -R "$2/." pacts/
	ls pacts
	;;
providers)
	packages=$(go_packages Provider || true)
	if [[ -n $packages ]]; then
		go_tests Provider "$packages"
	elif compgen -G 'pacts/*.json' >/dev/null; then
		echo "pact: pacts/ holds pacts, but no test named TestProvider... with the build tag pact verifies them" >&2
		exit 1
	fi
	;;
*)
	echo "pact.sh: unknown step '$1'" >&2
	exit 2
	;;
esac
