#!/bin/sh
# SPDX-License-Identifier: MIT
# Compares sonde's lines with tcpdump's for the same packets. All differences must be in
# tests/lines/differ (README.md explains them). -u writes that file.
# usage: tests/lines/oracle.sh LINES [-u]
set -u
lines=${1:?usage: tests/lines/oracle.sh LINES [-u]}
here=$(dirname "$0")
data=tests/data/lines
version=4.99.3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TZ=UTC
tcpdump=$(command -v tcpdump || ls /usr/sbin/tcpdump 2>/dev/null)
found=$("${tcpdump:-false}" --version 2>&1 | sed -n 's/^tcpdump version //p')
if [ "$found" != "$version" ]; then
	echo "skip lines compared with tcpdump's: needs version $version, found ${found:-none}"
	echo '0 passed, 0 failed, 1 skipped'
	exit 0
fi

same=0 differ=0
for pcap in "$data"/*.pcap; do
	name=$(basename "$pcap" .pcap)
	case $name in
	ours | cut-ours) continue ;; # tcpdump does not dissect these
	dhcps | ntps | sctps) options='-tn -tne -tnq' ;; # with -v tcpdump prints many lines
	cut-* | sll2) options=-tn ;;
	tcps | udps) options='-tn -t -tne -tnq -tnv -tnvv -tnS -n -ntt -nttt -ntttt -nttttt' ;;
	nano) options='-n' ;;
	*) options='-tn -tne -tnq -tnvv' ;;
	esac
	for o in $options; do
		nano=
		[ "$name" != nano ] || nano=N
		"$tcpdump" "$o" -r "$pcap" ${nano:+--time-stamp-precision=nano} 2>/dev/null |
			awk -f "$here/join.awk" >"$work/tcpdump"
		"$lines" "$o$nano" "$pcap" >"$work/sonde"
		diff "$work/tcpdump" "$work/sonde" | grep '^[<>]' >"$work/diff"
		same=$((same + $(wc -l <"$work/sonde") - $(grep -c '^>' "$work/diff")))
		[ -s "$work/diff" ] || continue
		differ=$((differ + $(grep -c '^>' "$work/diff")))
		echo "$name $o"
		cat "$work/diff"
	done >>"$work/differ.part"
done
# A pipe would run the loop in a subshell and lose the counts, so the loop writes to a file.
cat "$work/differ.part" >"$work/differ"
for o in -nx -nX -nxx -nXX; do
	"$tcpdump" $o -r "$data/udps.pcap" 2>/dev/null >"$work/tcpdump"
	"$lines" $o "$data/udps.pcap" | cmp - "$work/tcpdump" || echo "udps $o" >>"$work/differ"
done
if [ "${2:-}" = -u ]; then
	cp "$work/differ" "$here/differ"
fi
echo "ok lines compared with tcpdump's: $same are equal, $differ differ as intended" >"$work/sums"
if diff "$here/differ" "$work/differ"; then
	cat "$work/sums"
	echo '1 passed, 0 failed, 0 skipped'
else
	echo "FAIL lines compared with tcpdump's: the differences are not those in tests/lines/differ"
	echo '0 passed, 1 failed, 0 skipped'
	exit 1
fi
