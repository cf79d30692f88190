#!/bin/sh
# SPDX-License-Identifier: MIT
# Every architecture's binary is the same bytes when it is made somewhere else.
# usage: tests/dist.sh
set -eu
unset MAKEFLAGS MAKELEVEL MFLAGS
. "$(dirname "$0")/verdict.sh"

make -s -j"$(nproc)" SAN= dist >"$work/log" # where it downloads, it says so
mkdir -p "$work/tree/build"
cp -r Makefile bpf gen src "$work/tree"
ln -s "$PWD/build/fetched" "$work/tree/build" # what is unpacked there is no part of the question
make -s -j"$(nproc)" SAN= -C "$work/tree" dist >>"$work/log"

while read -r sum name; do
	: >"$work/found"
	grep -qx "$sum  $name" "$work/tree/build/dist/SHA256SUMS" ||
		echo "it is not $sum" >"$work/found"
	verdict "$name is the same from another directory"
done <build/dist/SHA256SUMS
[ "$passed" -gt 0 ] || failed=$((failed + 1))
summary
