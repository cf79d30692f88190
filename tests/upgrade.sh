#!/bin/sh
# SPDX-License-Identifier: MIT
# Tests that this version finds, shows, replaces and detaches the gates that the previous version
# installed. Builds the previous version once, in build/upgrade.
# usage: tests/upgrade.sh SCENARIOS BINARY
set -u
scenarios=${1:?usage: tests/upgrade.sh SCENARIOS BINARY}
SONDE=${2:?usage: tests/upgrade.sh SCENARIOS BINARY}
unset MAKEFLAGS MAKELEVEL MFLAGS # the previous version is an independent build
. "$(dirname "$0")/report.sh"

# The last commit with GATE_VERSION 5.
commit=dae50388e5399e4ddb56e04a67a4d42c5343f72e
SONDE_OLD=build/upgrade/sonde-$commit
name='the previous version'

if [ ! -x "$SONDE_OLD" ]; then
	if ! reason=$(git cat-file -e "$commit^{commit}" 2>&1); then
		report_skip "$name" "the repository has no such commit: $reason"
		print_summary
		exit
	fi
	if ! command -v clang-14 >/dev/null; then
		report_skip "$name" 'it needs clang-14, which is not installed'
		print_summary
		exit
	fi
	mkdir -p build/upgrade
	git archive "$commit" >"$work/old.tar" && mkdir "$work/old" && tar -xf "$work/old.tar" -C "$work/old" &&
		make -s -j"$(nproc)" -C "$work/old" ARCH="$(uname -m | sed s/aarch64/arm64/)" SAN= build/sonde >"$work/log" 2>&1 &&
		cp "$work/old/build/sonde" "$SONDE_OLD.new" && mv "$SONDE_OLD.new" "$SONDE_OLD" || cat "$work/log" >"$work/problems"
	[ -x "$SONDE_OLD" ] || echo "no $SONDE_OLD" >>"$work/problems"
	report_result "$name builds"
	[ -x "$SONDE_OLD" ] || { print_summary; exit; }
fi

export SONDE SONDE_OLD
"$scenarios" upgrade_ >"$work/log" 2>&1
sed '$d' "$work/log"
while read -r p _ f _ s _; do
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done <<EOF
$(tail -1 "$work/log" | grep '^[0-9]* passed, ' || echo '0 passed, 1 failed, 0 skipped')
EOF
print_summary
