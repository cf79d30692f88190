#!/bin/sh
# SPDX-License-Identifier: MIT
# Writes what the unit tests compare with; look at the difference before it is committed.
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
