#!/bin/sh
# SPDX-License-Identifier: MIT
# Capture files between us and others: what we write tshark, capinfos and tcpdump read without a
# word of complaint and with the same contents; what they write we read as they do.
# usage: tests/peers.sh CAPFILE-PROGRAM
set -u
capfile=${1:?usage: tests/peers.sh CAPFILE-PROGRAM}
export LC_ALL=C.UTF-8 TZ=UTC
. "$(dirname "$0")/verdict.sh"

for tool in tshark tcpdump capinfos editcap mergecap randpkt; do
	command -v $tool >/dev/null && continue
	skip 'capture files and their peers' "no $tool (make deps-test)"
	summary
	exit
done

# same NAME: $work/want and $work/got are the same, and nobody said a word.
same() {
	sed -i -e '/^Running as user "root"/d' -e '/^reading from file /d' -e '/^[0-9]* packets\{0,1\}$/d' "$work/said"
	{
		diff "$work/want" "$work/got" 2>&1 | head -10
		head -5 "$work/said" | sed 's/^/said: /'
	} >"$work/found"
	verdict "$1"
	: >"$work/said"
}
: >"$work/said"

# A file's packets, one a line: time, caplen, length, interface's name, direction as a number.
by_tshark() {
	tshark -r "$1" -T fields -E separator='|' -E aggregator=';' -e frame.time_epoch -e frame.cap_len \
		-e frame.len -e frame.interface_name -e frame.packet_flags_direction \
		${2:+-e "$2"} 2>>"$work/said" | awk -F'|' -v OFS='|' '{ sub(/^0x0*/, "", $5); $5 += 0; print }'
}
by_us() {
	"$capfile" read <"$1" 2>>"$work/said" | grep '|' | cut -d'|' -f1-5
}
# Every byte of the packets and every time.
by_tcpdump() {
	tcpdump --nano -ttnexx -r "$1" 2>>"$work/said"
}

# What we write: their words for it.
for f in nsecpcap pcap pcapng big-pcapng big-pcap big-nsecpcap; do
	"$capfile" write $f >"$work/$f"
	by_us "$work/$f" >"$work/want"
	by_tshark "$work/$f" >"$work/got"
	same "tshark reads $f as we do"
	by_tcpdump "$work/nsecpcap" | sed -e 's/^\(1[0-9.]*\|2[0-9.]*\) /T /' >"$work/want"
	by_tcpdump "$work/$f" | sed -e 's/^\(1[0-9.]*\|2[0-9.]*\) /T /' >"$work/got"
	same "tcpdump finds the same bytes in $f"
	by_us "$work/$f" | cut -d'|' -f1 >"$work/want"
	by_tcpdump "$work/$f" | awk '/ARP/ { print $1 }' >"$work/got"
	same "tcpdump finds our times in $f"
done

cat >"$work/want" <<'END'
1700000000.000000001|42|60|eth0|2|process: curl[1234]
1700000000.123456789|60|60|veth12345678901|1|verdict: drop
1700000001.999999999|43|60|eth0|1|process: ä [x]\x5c\xff\x0a[7];verdict: pass
1699999999.000000000|45|60|veth12345678901|0|
2145916800.000000000|60|60|eth0|0|
END
by_tshark "$work/pcapng" frame.comment >"$work/got"
same 'tshark shows directions, processes and verdicts'

cat >"$work/want" <<'END'
1700000000.000000001|42|60|eth0|2|curl|1234|
1700000000.123456789|60|60|veth12345678901|1||0|drop
1700000001.999999999|43|60|eth0|1|<c3><a4> [x]\<ff><0a>|7|pass
1699999999.000000000|45|60|veth12345678901|0||0|
2145916800.000000000|60|60|eth0|0||0|
eth0 received 1000 dropped 995
veth12345678901 received 2 dropped 0
END
"$capfile" read <"$work/pcapng" >"$work/got" 2>>"$work/said"
same 'we read back what we knew'

cat >"$work/want" <<'END'
Number of packets:5
Capture application:sonde 0.test
Number of interfaces in file:2
Name = eth0
Capture length = 262144
Time ticks per second = 1000000000
Filter string = arp or tcp port 80
Number of stat entries = 1
Number of packets = 3
Name = veth12345678901
Capture length = 262144
Time ticks per second = 1000000000
Number of stat entries = 1
Number of packets = 2
END
capinfos "$work/pcapng" 2>>"$work/said" | sed -nE 's/^ +//; s/: +/:/
	/^(Number|Capture (app|len)|Name|Time ticks|Filter)/p' >"$work/got"
same 'capinfos lists interfaces, filter and counters'

: >"$work/want"
for f in pcapng pcap nsecpcap; do
	tshark -r "$work/$f" -Y '_ws.malformed || _ws.expert.severity >= 0x600000' 2>>"$work/said"
done >"$work/got"
same 'tshark finds nothing malformed'

# What they write: random packets of several kinds, as each of them writes them in each format.
randpkt -c 300 -b 2000 -t tcp "$work/tcp.pcap" >/dev/null 2>&1
randpkt -c 200 -b 200 -t dns "$work/dns.pcap" >/dev/null 2>&1
editcap -s 100 -S 0.000000001 -F pcapng "$work/tcp.pcap" "$work/base" 2>>"$work/said"
theirs() {
	by_tshark "$1" >"$work/want"
	by_us "$1" >"$work/got"
	# tshark tells no name for an unnamed one, but for a pcapng's when another has a name.
	sed -i 's/|unknown|/||/' "$work/want"
	[ -s "$work/want" ] || echo 'no packets' >>"$work/said"
	same "we read as tshark does: $2"
}
for f in pcap nsecpcap pcapng; do
	editcap -F $f "$work/base" "$work/editcap.$f" 2>>"$work/said"
	theirs "$work/editcap.$f" "editcap's $f"
	tshark -r "$work/base" -F $f -w "$work/tshark.$f" 2>>"$work/said"
	theirs "$work/tshark.$f" "tshark's $f"
done
tcpdump -r "$work/editcap.nsecpcap" -w "$work/tcpdump.pcap" 2>>"$work/said"
theirs "$work/tcpdump.pcap" "tcpdump's pcap"
tcpdump --nano -r "$work/editcap.nsecpcap" -w "$work/tcpdump.nsec" 2>>"$work/said"
theirs "$work/tcpdump.nsec" "tcpdump's pcap in ns"
mergecap -F pcapng -w "$work/merged" "$work/pcapng" "$work/big-pcapng" "$work/dns.pcap" 2>>"$work/said"
theirs "$work/merged" "mergecap's pcapng of three"
editcap -a 1:'by hand' -F pcapng "$work/pcapng" "$work/noted" 2>>"$work/said"
theirs "$work/noted" "editcap's pcapng with a comment"
# tshark 4.0 takes a later section's interfaces for the first one's: without their names.
unnamed() { cut -d'|' -f1-3,5; }
cat "$work/pcapng" "$work/big-pcapng" "$work/base" >"$work/sections"
by_tshark "$work/sections" | unnamed >"$work/want"
by_us "$work/sections" | unnamed >"$work/got"
same 'we read as tshark does: three pcapng files behind each other, of both byte orders'

# Through us and back: not a byte differs for tcpdump, not a field for tshark.
for f in pcap nsecpcap pcapng; do
	"$capfile" copy $f <"$work/base" >"$work/copy.$f" 2>>"$work/said"
	by_tcpdump "$work/editcap.$f" >"$work/want"
	by_tcpdump "$work/copy.$f" >"$work/got"
	same "a copy to $f has the same bytes"
done
"$capfile" copy pcapng <"$work/sections" >"$work/copy" 2>>"$work/said"
by_us "$work/sections" >"$work/want"
by_tshark "$work/copy" | sed 's/|unknown|/||/' >"$work/got"
same 'a copy of three sections has the same fields'

# What we do not read: one line that says what to do.
refused() {
	echo "$2" >"$work/want"
	"$capfile" read <"$1" >"$work/got" 2>&1
	same "refused: $3"
}
for f in modlibpcap snoop; do
	editcap -F $f "$work/tcp.pcap" "$work/$f" 2>>"$work/said"
done
gzip -kc "$work/tcp.pcap" >"$work/gz"
refused "$work/modlibpcap" "a 'modified' pcap file, convert it: editcap" 'modified pcap'
refused "$work/snoop" 'a snoop file, convert it: editcap' 'snoop'
refused "$work/gz" 'compressed, unpack it first: gzip -d' 'gzip'

summary
