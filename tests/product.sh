#!/bin/sh
# SPDX-License-Identifier: MIT
# Checks the product: a small static binary, a reproducible build, and rebuilds of only what changed.
# usage: tests/product.sh BINARY SIZE-LIMIT (in bytes)
set -u
unset MAKEFLAGS MAKELEVEL MFLAGS # the copy is an independent build
binary=${1:?usage: tests/product.sh BINARY SIZE-LIMIT}
limit=${2:?usage: tests/product.sh BINARY SIZE-LIMIT}
. "$(dirname "$0")/report.sh"

if [ "${SAN:-}" ]; then
	report_skip 'the binary is a static PIE' 'SAN=1 builds are dynamic'
else
	: >"$work/problems"
	"$READELF" -l "$binary" | grep INTERP >>"$work/problems"
	"$READELF" -d "$binary" | grep NEEDED >>"$work/problems"
	"$READELF" -h "$binary" | grep -q 'Type: *DYN' || echo 'not position independent' >>"$work/problems"
	size=$(wc -c <"$binary")
	[ "$size" -lt "$limit" ] || echo "$binary has $size bytes" >>"$work/problems"
	report_result "the binary is a static PIE without interpreter or library, under $((limit / 1024)) KiB"
fi

# Another build directory gives the same bytes.
mkdir -p "$work/copy"
cp -R Makefile src bpf gen "$work/copy"
make -s -j"$(nproc)" -C "$work/copy" build/sonde SAN= >"$work/log" 2>&1 || cat "$work/log"
if [ "${SAN:-}" ]; then
	report_skip 'another directory gives the same bytes' 'SAN=1 builds contain the paths of their sources'
else
	cmp "$binary" "$work/copy/build/sonde" >"$work/problems" 2>&1
	report_result 'another directory gives the same bytes'
fi

# A changed contract rebuilds exactly the objects that include it. Without a change nothing is rebuilt.
(
	cd "$work/copy" || exit
	make -q build/sonde || echo 'a second make rebuilds something'
	programs=$(grep -l 'bpf/gate\.h' build/bpf/*.d | sed 's|.*/\(.*\)\.bpf\.d|\1|' | paste -sd '|')
	users=$(grep -lE "(bpf/gate|gen/($programs)\.gen)\.h" $(find build -name '*.d') | sed 's/\.d$/.o/' | LC_ALL=C sort)
	sleep 0.01
	touch bpf/gate.h
	touch "$work/stamp"
	make -s build/sonde >/dev/null 2>&1
	rebuilt=$(find build -name '*.o' -newer "$work/stamp" | LC_ALL=C sort)
	[ "$users" = "$rebuilt" ] || printf 'expected:\n%s\nrebuilt:\n%s\n' "$users" "$rebuilt"
) >"$work/problems"
report_result 'a changed contract rebuilds exactly the objects that include it'

print_summary
