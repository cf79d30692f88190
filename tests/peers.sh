#!/bin/sh
# SPDX-License-Identifier: MIT
# Compares the reading and writing of capture files: tshark, capinfos and tcpdump read sonde's files
# with the same contents and without a warning, and sonde reads theirs as they do.
# usage: tests/peers.sh CAPFILE-PROGRAM
set -u
capfile=${1:?usage: tests/peers.sh CAPFILE-PROGRAM}
export LC_ALL=C.UTF-8 TZ=UTC
. "$(dirname "$0")/report.sh"

for tool in tshark tcpdump capinfos editcap mergecap randpkt; do
	command -v $tool >/dev/null && continue
	report_skip 'capture files, compared with other tools' "no $tool (make deps-all)"
	print_summary
	exit
done

# check_same NAME: $work/want and $work/got are equal, and no program wrote a warning to $work/stderr.
check_same() {
	sed -i -e '/^Running as user "root"/d' -e '/^reading from file /d' -e '/^[0-9]* packets\{0,1\}$/d' "$work/stderr"
	{
		diff "$work/want" "$work/got" 2>&1 | head -10
		head -5 "$work/stderr" | sed 's/^/stderr: /'
	} >"$work/problems"
	report_result "$1"
	: >"$work/stderr"
}
: >"$work/stderr"

# The packets of file $1, one a line: time, captured length, length, name of the interface, direction as
# a number, and field $2 if given.
list_by_tshark() {
	tshark -r "$1" -T fields -E separator='|' -E aggregator=';' -e frame.time_epoch -e frame.cap_len \
		-e frame.len -e frame.interface_name -e frame.packet_flags_direction \
		${2:+-e "$2"} 2>>"$work/stderr" | awk -F'|' -v OFS='|' '{ sub(/^0x0*/, "", $5); $5 += 0; print }'
}
list_by_sonde() {
	"$capfile" read <"$1" 2>>"$work/stderr" | grep '|' | cut -d'|' -f1-5
}
# All bytes and times of the packets.
dump_by_tcpdump() {
	tcpdump --nano -ttnexx -r "$1" 2>>"$work/stderr"
}

# Files that sonde writes, read by tshark and tcpdump.
for f in nsecpcap pcap pcapng big-pcapng big-pcap big-nsecpcap; do
	"$capfile" write $f >"$work/$f"
	list_by_sonde "$work/$f" >"$work/want"
	list_by_tshark "$work/$f" >"$work/got"
	check_same "tshark reads $f as sonde does"
	dump_by_tcpdump "$work/nsecpcap" | sed -e 's/^\(1[0-9.]*\|2[0-9.]*\) /T /' >"$work/want"
	dump_by_tcpdump "$work/$f" | sed -e 's/^\(1[0-9.]*\|2[0-9.]*\) /T /' >"$work/got"
	check_same "tcpdump reads the same bytes from $f"
	list_by_sonde "$work/$f" | cut -d'|' -f1 >"$work/want"
	dump_by_tcpdump "$work/$f" | awk '/ARP/ { print $1 }' >"$work/got"
	check_same "tcpdump reads the same times from $f"
done

cat >"$work/want" <<'END'
1700000000.000000001|42|60|eth0|2|process: curl[1234]
1700000000.123456789|60|60|veth12345678901|1|verdict: drop
1700000001.999999999|43|60|eth0|1|process: ä [x]\x5c\xff\x0a[7];verdict: pass
1699999999.000000000|45|60|veth12345678901|0|
2145916800.000000000|60|60|eth0|0|
END
list_by_tshark "$work/pcapng" frame.comment >"$work/got"
check_same 'tshark shows directions, processes and verdicts'

cat >"$work/want" <<'END'
1700000000.000000001|42|60|eth0|2|curl|1234|
1700000000.123456789|60|60|veth12345678901|1||0|drop
1700000001.999999999|43|60|eth0|1|<c3><a4> [x]\<ff><0a>|7|pass
1699999999.000000000|45|60|veth12345678901|0||0|
2145916800.000000000|60|60|eth0|0||0|
eth0 received 1000 dropped 995
veth12345678901 received 2 dropped 0
END
"$capfile" read <"$work/pcapng" >"$work/got" 2>>"$work/stderr"
check_same 'sonde reads back all that it wrote'

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
capinfos "$work/pcapng" 2>>"$work/stderr" | sed -nE 's/^ +//; s/: +/:/
	/^(Number|Capture (app|len)|Name|Time ticks|Filter)/p' >"$work/got"
check_same 'capinfos lists interfaces, filter and counters'

: >"$work/want"
for f in pcapng pcap nsecpcap; do
	tshark -r "$work/$f" -Y '_ws.malformed || _ws.expert.severity >= 0x600000' 2>>"$work/stderr"
done >"$work/got"
check_same 'tshark reports nothing as malformed'

# Files that other tools write: random packets of several kinds, in each format.
randpkt -c 300 -b 2000 -t tcp "$work/tcp.pcap" >/dev/null 2>&1
randpkt -c 200 -b 200 -t dns "$work/dns.pcap" >/dev/null 2>&1
editcap -s 100 -S 0.000000001 -F pcapng "$work/tcp.pcap" "$work/base" 2>>"$work/stderr"
# check_reading FILE NAME: sonde reads the file as tshark does.
check_reading() {
	list_by_tshark "$1" >"$work/want"
	list_by_sonde "$1" >"$work/got"
	# tshark prints "unknown" for an unnamed interface of a pcapng file in which another has a name.
	sed -i 's/|unknown|/||/' "$work/want"
	[ -s "$work/want" ] || echo 'no packets' >>"$work/stderr"
	check_same "sonde reads as tshark does: $2"
}
for f in pcap nsecpcap pcapng; do
	editcap -F $f "$work/base" "$work/editcap.$f" 2>>"$work/stderr"
	check_reading "$work/editcap.$f" "editcap's $f"
	tshark -r "$work/base" -F $f -w "$work/tshark.$f" 2>>"$work/stderr"
	check_reading "$work/tshark.$f" "tshark's $f"
done
tcpdump -r "$work/editcap.nsecpcap" -w "$work/tcpdump.pcap" 2>>"$work/stderr"
check_reading "$work/tcpdump.pcap" "tcpdump's pcap"
tcpdump --nano -r "$work/editcap.nsecpcap" -w "$work/tcpdump.nsec" 2>>"$work/stderr"
check_reading "$work/tcpdump.nsec" "tcpdump's pcap in ns"
mergecap -F pcapng -w "$work/merged" "$work/pcapng" "$work/big-pcapng" "$work/dns.pcap" 2>>"$work/stderr"
check_reading "$work/merged" "mergecap's pcapng of three"
editcap -a 1:'by hand' -F pcapng "$work/pcapng" "$work/noted" 2>>"$work/stderr"
check_reading "$work/noted" "editcap's pcapng with a comment"
# tshark 4.0 takes the interfaces of later sections for the first section's. Compare without names.
drop_names() { cut -d'|' -f1-3,5; }
cat "$work/pcapng" "$work/big-pcapng" "$work/base" >"$work/sections"
list_by_tshark "$work/sections" | drop_names >"$work/want"
list_by_sonde "$work/sections" | drop_names >"$work/got"
check_same 'sonde reads as tshark does: three pcapng files in one, of both byte orders'

# Copies that sonde makes: tcpdump reads the same bytes, tshark the same fields.
for f in pcap nsecpcap pcapng; do
	"$capfile" copy $f <"$work/base" >"$work/copy.$f" 2>>"$work/stderr"
	dump_by_tcpdump "$work/editcap.$f" >"$work/want"
	dump_by_tcpdump "$work/copy.$f" >"$work/got"
	check_same "a copy to $f has the same bytes"
done
"$capfile" copy pcapng <"$work/sections" >"$work/copy" 2>>"$work/stderr"
list_by_sonde "$work/sections" >"$work/want"
list_by_tshark "$work/copy" | sed 's/|unknown|/||/' >"$work/got"
check_same 'a copy of three sections has the same fields'

# check_refused FILE ERROR NAME: sonde reports this one line for a format that it does not read.
check_refused() {
	echo "$2" >"$work/want"
	"$capfile" read <"$1" >"$work/got" 2>&1
	check_same "sonde refuses $3"
}
for f in modlibpcap snoop; do
	editcap -F $f "$work/tcp.pcap" "$work/$f" 2>>"$work/stderr"
done
gzip -kc "$work/tcp.pcap" >"$work/gz"
check_refused "$work/modlibpcap" "a 'modified' pcap file, convert it: editcap" 'a modified pcap file'
check_refused "$work/snoop" 'a snoop file, convert it: editcap' 'a snoop file'
check_refused "$work/gz" 'compressed, unpack it first: gzip -d' 'a gzip file'

print_summary
