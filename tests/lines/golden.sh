#!/bin/sh
# SPDX-License-Identifier: MIT
# Writes the golden files of the unit tests. Read their differences before you commit them.
# usage: tests/lines/golden.sh LINES
set -eu
lines=${1:?usage: tests/lines/golden.sh LINES}
for pcap in tests/data/lines/*.pcap; do
	case $pcap in
	*/cut-* | */bench-*) continue ;;
	esac
	for o in n tnev tqX; do
		"$lines" "-$o" "$pcap" >"${pcap%.pcap}.$o"
	done
done
