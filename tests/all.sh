#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the stages named by make targets one after another, and adds up what each counted.
# usage: tests/all.sh TARGET...
set -u
# The job server of the make that called is not for processes behind a shell.
MAKEFLAGS=$(echo "${MAKEFLAGS:-}" | sed 's/ *-j[0-9]*//; s/ *--jobserver-auth=[^ ]*//')
log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'echo "cut off in make $stage"; exit 130' INT
trap 'exit 143' TERM
passed=0 failed=0 skipped=0

for stage in "$@"; do
	echo "== make $stage"
	start=$(date +%s)
	{
		${MAKE:-make} -j"$(nproc)" --no-print-directory "$stage" 2>&1
		echo "exit $?"
	} | (trap '' INT; exec tee "$log") | (trap '' INT; exec grep -v '^exit [0-9]*$')
	# Every counting line of the stage: it may run several programs.
	sums=$(awk '/^[0-9]+ passed, [0-9]+ failed/ { p += $1; f += $3; s += $5 } END { print p + 0, f + 0, s + 0 }' "$log")
	# shellcheck disable=SC2086
	set_sums() { passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3)); stage_failed=$2; }
	set_sums $sums
	# A stage that broke before it could count is a failure of its own.
	if [ "$(tail -1 "$log")" != 'exit 0' ] && [ "$stage_failed" = 0 ]; then
		echo "make $stage did not finish"
		failed=$((failed + 1))
	fi
	echo "== $(($(date +%s) - start)) s"
done
echo
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
