#!/usr/bin/env bash
# Usage: race.sh DIR [go test flags]
# Runs every Go test with the race detector and leaves coverage profiles in DIR.
#
# Covering all packages from all tests would link the whole product into every test binary. So a test counts for
# its own package in the platform, for its own service in a service, and for everything in a main.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
dir=$1
shift
# SQLite is C that was translated to Go and keeps everything in memory of its own, which the detector does not know:
# watching it finds nothing and takes most of the time of a test on it. Its driver is watched. Vet ran before, on all.
flags=(-gcflags=modernc.org/sqlite/lib=-race=false -vet=off "$@")
rm -rf "$dir"
mkdir -p "$dir"

failed=0
group() { # $1: profile name, then go test arguments
	local name=$1
	shift
	# Four packages at a time, because most tests wait for servers of theirs.
	go test -race -p 4 -timeout 30m -covermode=atomic -coverprofile="$dir/$name.out" "${flags[@]}" "$@"
}

group platform ./services/platform/... || failed=1
# The domain of operators alone takes minutes, with half of the machine: the others go on beside it. Not from the start: both
# would compile what the platform needs.
group operators -coverpkg=./services/operators/... ./services/operators/... &
operators=$!
trap 'kill "$operators" 2>/dev/null || true' EXIT
for service in services/*/; do
	service=$(basename "$service")
	# A folder without Go, the folders that are no service, and what runs already.
	case $service in platform | cmd | operators) continue ;; esac
	compgen -G "services/$service/*.go" >/dev/null || continue
	group "$service" -coverpkg="./services/$service/..." "./services/$service/..." || failed=1
done
if [[ -d services/cmd ]]; then
	group cmd -coverpkg=./services/... ./services/cmd/... || failed=1
fi
rest=$(go list ./... | grep -v -e '^trunkline/services/' -e '^trunkline/gen/' || true)
if [[ -n $rest ]]; then
	# shellcheck disable=SC2086 # one argument per package
	group rest $rest || failed=1
fi
wait "$operators" || failed=1
trap - EXIT

if ((failed)); then
	echo "race: some Go tests failed; their lines start with FAIL above" >&2
	exit 1
fi
