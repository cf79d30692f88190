#!/bin/sh
# SPDX-License-Identifier: MIT
# Checks that the binaries of all architectures are reproducible: another build directory gives the
# same bytes.
# usage: tests/dist.sh
set -eu
unset MAKEFLAGS MAKELEVEL MFLAGS
. "$(dirname "$0")/report.sh"

make -s -j"$(nproc)" SAN= dist >"$work/log" # downloads are reported on stderr
mkdir -p "$work/tree/build"
cp -r Makefile bpf gen src "$work/tree"
ln -s "$PWD/build/fetched" "$work/tree/build" # both builds use the same sysroots
make -s -j"$(nproc)" SAN= -C "$work/tree" dist >>"$work/log"

while read -r sum name; do
	: >"$work/problems"
	grep -qx "$sum  $name" "$work/tree/build/dist/SHA256SUMS" ||
		echo "the checksum is not $sum" >"$work/problems"
	report_result "$name is the same from another directory"
done <build/dist/SHA256SUMS
[ "$passed" -gt 0 ] || failed=$((failed + 1))
print_summary
