#!/usr/bin/env bash
# Makes sure that the programs which the tests start are on this machine: installs them as root on Debian, otherwise
# prints what to run. Says nothing when nothing is missing.
set -euo pipefail

problems=()
packages=()

version_at_least() { [[ $(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1) == "$2" ]]; }

# PostgreSQL on Debian keeps its server programs out of PATH.
has_postgres() { command -v initdb postgres >/dev/null 2>&1 || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }

has_postgres || packages+=(postgresql)
command -v redis-server >/dev/null || packages+=(redis-server)
command -v gcc >/dev/null || packages+=(gcc libc6-dev) # for the race detector and Pact
command -v git >/dev/null || packages+=(git)
# The browser of the console's tests, and a font for its pages. CHROMIUM names another one, for Playwright too.
command -v "${CHROMIUM:-chromium}" >/dev/null || packages+=(chromium)
if [[ $(uname) == Linux && -z $(find /usr/share/fonts -name '*.[to]tf' -print -quit 2>/dev/null) ]]; then
	packages+=(fonts-dejavu-core)
fi

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
	problems+=("Node 20.19 or newer with npm was not found. Install it (Debian 12 packages an older one).")
elif ! version_at_least "$(node --version | tr -d v)" 20.19; then
	problems+=("Node 20.19 or newer is needed; this is $(node --version).")
fi

if ((${#packages[@]})); then
	install=(apt-get install --yes --no-install-recommends "${packages[@]}")
	if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
		echo "setup: installing ${packages[*]}"
		export DEBIAN_FRONTEND=noninteractive
		log=$(mktemp)
		trap 'rm -f "$log"' EXIT
		if ! { apt-get update && "${install[@]}"; } >"$log" 2>&1; then
			tail -n 30 "$log" >&2
			problems+=("apt-get could not install ${packages[*]}; its last lines are above.")
		fi
	elif command -v apt-get >/dev/null; then
		problems+=("Missing: ${packages[*]}. Run: sudo apt-get update && sudo ${install[*]}")
	else
		problems+=("Missing: ${packages[*]} (Debian names). Install them with your package manager.")
	fi
fi

if ((${#problems[@]})); then
	printf 'setup: %s\n' "${problems[@]}" >&2
	exit 1
fi
