#!/bin/sh
# SPDX-License-Identifier: MIT
# A million packets as text: CPU time of sonde's lines and of tcpdump -n, in turns; the least of
# each counts. usage: tests/lines/bench.sh LINES [ROUNDS]
set -u
lines=${1:?usage: tests/lines/bench.sh LINES [ROUNDS]}
rounds=${2:-5}
data=tests/data/lines
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TZ=UTC
million=1000000

# many FROM FRAMES: the packets of a pcap file over and over.
many() {
	head -c 24 "$data/$1.pcap" >"$work/$1"
	tail -c +25 "$data/$1.pcap" >"$work/once"
	have=$2
	while [ "$have" -lt $million ]; do
		cat "$work/once" "$work/once" >"$work/twice"
		mv "$work/twice" "$work/once"
		have=$((have * 2))
	done
	cat "$work/once" >>"$work/$1"
	count=$have
}
# cpu COMMAND...: user and system time in ms
cpu() {
	sh -c '"$@" >/dev/null 2>&1; times' sh "$@" | tail -1 |
		sed 's/[ms]/ /g' | awk '{ printf "%d\n", ($1 * 60 + $2 + $3 * 60 + $4) * 1000 }'
}
least() { [ "$2" -lt "$1" ] && echo "$2" || echo "$1"; }

"$lines" -n -b 1000000 "$data/bench-tcp.pcap"
"$lines" -n -b 1000000 "$data/bench-dns.pcap"
for name in bench-tcp bench-dns; do
	many "$name" "$("$lines" "$data/$name.pcap" | wc -l)"
	ours=999999999 theirs=999999999
	for _ in $(seq "$rounds"); do
		theirs=$(least "$theirs" "$(cpu tcpdump -n -r "$work/$name")")
		ours=$(least "$ours" "$(cpu "$lines" -n "$work/$name")")
	done
	awk -v n="$name" -v c="$count" -v o="$ours" -v t="$theirs" 'BEGIN {
		printf "%s: ns per packet: %.0f, tcpdump -n %.0f, ratio %.2f\n", n, o * 1e6 / c, t * 1e6 / c, o / t }'
done
