#!/bin/sh
# SPDX-License-Identifier: MIT
# What the version before installed is found, shown, replaced and detached by this one. Builds that
# version once, into build/upgrade.
# usage: tests/upgrade.sh SCENARIOS BINARY
set -u
scenarios=${1:?usage: tests/upgrade.sh SCENARIOS BINARY}
SONDE=${2:?usage: tests/upgrade.sh SCENARIOS BINARY}
unset MAKEFLAGS MAKELEVEL MFLAGS # the old version is built on its own
. "$(dirname "$0")/verdict.sh"

# The last commit with GATE_VERSION 5.
commit=dae50388e5399e4ddb56e04a67a4d42c5343f72e
SONDE_OLD=build/upgrade/sonde-$commit
name='an older version'

if [ ! -x "$SONDE_OLD" ]; then
	if ! reason=$(git cat-file -e "$commit^{commit}" 2>&1); then
		skip "$name" "no history here: $reason"
		summary
		exit
	fi
	if ! command -v clang-14 >/dev/null; then
		skip "$name" 'it is built with clang-14 only, which is not installed'
		summary
		exit
	fi
	mkdir -p build/upgrade
	git archive "$commit" >"$work/old.tar" && mkdir "$work/old" && tar -xf "$work/old.tar" -C "$work/old" &&
		make -s -j"$(nproc)" -C "$work/old" ARCH="$(uname -m | sed s/aarch64/arm64/)" SAN= build/sonde >"$work/log" 2>&1 &&
		cp "$work/old/build/sonde" "$SONDE_OLD.new" && mv "$SONDE_OLD.new" "$SONDE_OLD" || cat "$work/log" >"$work/found"
	[ -x "$SONDE_OLD" ] || echo "no $SONDE_OLD" >>"$work/found"
	verdict "$name is built"
	[ -x "$SONDE_OLD" ] || { summary; exit; }
fi

export SONDE SONDE_OLD
"$scenarios" upgrade_ >"$work/log" 2>&1
sed '$d' "$work/log"
while read -r p _ f _ s _; do
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done <<EOF
$(tail -1 "$work/log" | grep '^[0-9]* passed, ' || echo '0 passed, 1 failed, 0 skipped')
EOF
summary
