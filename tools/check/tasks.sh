#!/usr/bin/env bash
# Usage: tasks.sh TASK-COMMAND...
# Fails when a task is neither described nor internal. Listing them also parses the Taskfile.
set -euo pipefail

undescribed=$(comm -13 <("$@" --list --silent | sort) <("$@" --list-all --silent | sort))
if [[ -n $undescribed ]]; then
	echo "tasks: give these a desc, or mark them internal: ${undescribed//$'\n'/, }" >&2
	exit 1
fi
