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

make -s -j"$(nproc)" SAN= dist >"$work/log" # where it downloads, it says so
mkdir -p "$work/tree/build"
cp -r Makefile bpf gen src "$work/tree"
ln -s "$PWD/build/sysroot" "$work/tree/build" # what is unpacked there is no part of the question
make -s -j"$(nproc)" SAN= -C "$work/tree" dist >>"$work/log"

passed=0 failed=0
while read -r sum name; do
	if grep -qx "$sum  $name" "$work/tree/build/dist/SHA256SUMS"; then
		echo "ok $name is the same from another directory"
		passed=$((passed + 1))
	else
		echo "FAIL $name differs when it is made in another directory"
		failed=$((failed + 1))
	fi
done <build/dist/SHA256SUMS
[ "$passed" -gt 0 ] || failed=$((failed + 1))
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
