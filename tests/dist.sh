#!/bin/sh
# SPDX-License-Identifier: MIT
# Every architecture's binary is the same bytes when it is made somewhere else.
# usage: tests/dist.sh
set -eu
unset MAKEFLAGS MAKELEVEL MFLAGS
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

make -s -j"$(nproc)" dist >"$work/here"
mkdir -p "$work/tree/build"
cp -r Makefile bpf gen src "$work/tree"
cp -r build/sysroot "$work/tree/build" # what is unpacked there is no part of the question
make -s -j"$(nproc)" -C "$work/tree" dist >"$work/there"

passed=0 failed=0
while read -r sum name; do
	if grep -q "^$sum  $name$" "$work/there"; then
		echo "ok $name is the same from another directory"
		passed=$((passed + 1))
	else
		echo "FAIL $name differs when it is made in another directory"
		failed=$((failed + 1))
	fi
done <"$work/here"
[ "$passed" -gt 0 ] || failed=$((failed + 1))
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
