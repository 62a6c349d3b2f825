#!/usr/bin/env bash
# Compares proto/ with an older commit and says which one. BREAKING_BASE names the commit; otherwise it is
#   on a branch:                     the commit where it left main;
#   on main with changes in proto/:  HEAD;
#   on main, clean:                  the commit before HEAD.
# A break that is meant goes into buf.yaml (breaking.ignore or breaking.except) in the same commit, with its reason.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
skip() { echo "breaking: $1; nothing to compare" && exit 0; }
commit() { git rev-parse --verify --quiet "$1^{commit}"; }

head=$(commit HEAD) || skip "there is no commit yet"
base=
if [[ -n ${BREAKING_BASE:-} ]]; then
	base=$(commit "$BREAKING_BASE") || { echo "breaking: BREAKING_BASE '$BREAKING_BASE' is no commit here" >&2 && exit 1; }
else
	for main in refs/heads/main refs/remotes/origin/main; do
		if commit "$main" >/dev/null && fork=$(git merge-base "$main" HEAD) && [[ $fork != "$head" ]]; then
			base=$fork
			break
		fi
	done
	if [[ -z $base && -n $(git status --porcelain -- proto buf.yaml) ]]; then
		base=$head
	elif [[ -z $base ]]; then
		base=$(commit HEAD~1) || skip "HEAD is the only commit in this clone"
	fi
fi

name=$(git log -1 --format='%h "%s"' "$base")
git cat-file -e "$base:proto" 2>/dev/null || skip "$name has no proto/"

tools/proto/prepare.sh
old=$(mktemp -d)
trap 'rm -rf "$old"' EXIT
git archive "$base" proto | tar -x -C "$old"
git show "$base:buf.yaml" >"$old/buf.yaml" 2>/dev/null || cp buf.yaml "$old/"
mkdir -p "$old/.buf"
cp -R .buf/protovalidate "$old/.buf/"
go tool -modfile=tools/go.mod buf breaking --against "$old"
echo "breaking: proto/ is compatible with $name"
