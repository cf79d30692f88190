#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes each target in turn (a stage) and adds up the sums that its tests print.
# usage: tests/all.sh TARGET...
set -u
# The calling make's job server does not serve a make that is started by a shell.
MAKEFLAGS=$(echo "${MAKEFLAGS:-}" | sed 's/ *-j[0-9]*//; s/ *--jobserver-auth=[^ ]*//')
log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'echo "interrupted in make $stage"; exit 130' INT
trap 'exit 143' TERM
passed=0 failed=0 skipped=0

for stage in "$@"; do
	echo "== make $stage"
	start=$(date +%s)
	{
		${MAKE:-make} -j"$(nproc)" --no-print-directory "$stage" 2>&1
		echo "exit $?"
	} | (trap '' INT; exec tee "$log") | (trap '' INT; exec grep -v '^exit [0-9]*$')
	# A stage may run several test programs, each with a line of sums.
	sums=$(awk '/^[0-9]+ passed, [0-9]+ failed/ { p += $1; f += $3; s += $5 } END { print p + 0, f + 0, s + 0 }' "$log")
	# shellcheck disable=SC2086
	add_sums() { passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3)); stage_failed=$2; }
	add_sums $sums
	# A stage that fails without a failed test counts as one failure.
	if [ "$(tail -1 "$log")" != 'exit 0' ] && [ "$stage_failed" = 0 ]; then
		echo "FAIL make $stage did not finish"
		failed=$((failed + 1))
	fi
	echo "== $(($(date +%s) - start)) s"
done
echo
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
