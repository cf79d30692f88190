#!/bin/sh
# SPDX-License-Identifier: MIT
# The rules of the product: a small static binary, the same bytes twice, rebuilds of just what
# changed.
# usage: tests/product.sh BINARY
set -u
unset MAKEFLAGS MAKELEVEL MFLAGS # the copies are built on their own
binary=${1:?usage: tests/product.sh BINARY}
. "$(dirname "$0")/verdict.sh"

if [ "${SAN:-}" ]; then
	skip 'a static binary' 'SAN=1 builds are dynamic'
else
	: >"$work/found"
	"$READELF" -l "$binary" | grep INTERP >>"$work/found"
	"$READELF" -d "$binary" | grep NEEDED >>"$work/found"
	"$READELF" -h "$binary" | grep -q 'Type: *DYN' || echo 'not position independent' >>"$work/found"
	[ "$(wc -c <"$binary")" -le 622592 ] || echo "$binary is over 608 KiB" >>"$work/found"
	verdict 'the binary is a static PIE without interpreter or needed library, under 608 KiB'
fi

# The same sources in another directory give the same bytes.
mkdir -p "$work/copy"
cp -R Makefile src bpf gen "$work/copy"
make -s -j"$(nproc)" -C "$work/copy" build/sonde SAN= >"$work/log" 2>&1 || cat "$work/log"
if [ "${SAN:-}" ]; then
	skip 'another directory, the same bytes' 'SAN=1 builds keep the names of their sources'
else
	cmp "$binary" "$work/copy/build/sonde" >"$work/found" 2>&1
	verdict 'another directory, the same bytes'
fi

# A contract's users, and nobody else, are rebuilt when it is touched; nothing is rebuilt otherwise.
(
	cd "$work/copy" || exit
	make -q build/sonde || echo 'a second make has something to do'
	programs=$(grep -l 'bpf/gate\.h' build/bpf/*.d | sed 's|.*/\(.*\)\.bpf\.d|\1|' | paste -sd '|')
	users=$(grep -lE "(bpf/gate|gen/($programs)\.gen)\.h" $(find build -name '*.d') | sed 's/\.d$/.o/' | LC_ALL=C sort)
	sleep 0.01
	touch bpf/gate.h
	touch "$work/stamp"
	make -s build/sonde >/dev/null 2>&1
	rebuilt=$(find build -name '*.o' -newer "$work/stamp" | LC_ALL=C sort)
	[ "$users" = "$rebuilt" ] || printf 'users:\n%s\nrebuilt:\n%s\n' "$users" "$rebuilt"
) >"$work/found"
verdict 'touching a contract rebuilds exactly its users'

summary
