#!/bin/sh
# SPDX-License-Identifier: MIT
# Live captures between us and others: Wireshark's programs start us as an extcap, read us over a
# pipe, and read the files that were written around the page cache, without a word of complaint.
# usage: tests/peers/live.sh SONDE FLOOD
set -u
sonde=${1:?usage: tests/peers/live.sh SONDE FLOOD}
flood=${2:?usage: tests/peers/live.sh SONDE FLOOD}
export LC_ALL=C.UTF-8 TZ=UTC
passed=0 failed=0 skipped=0

skip() {
	echo "skip $1: $2"
	skipped=$((skipped + 1))
}
none() {
	skip 'live captures and their peers' "$1"
	echo '0 passed, 0 failed, 1 skipped'
	exit 0
}
[ "$(id -u)" = 0 ] || none 'needs root'
for tool in tshark dumpcap tcpdump capinfos mergecap ip unshare; do
	command -v $tool >/dev/null || none "no $tool (make deps-test)"
done
# Interfaces and mounts of our own, which go when this ends.
[ "${3:-}" = inside ] || exec unshare -nm -- sh "$0" "$sonde" "$flood" inside
work=$(mktemp -d)
children=
end() {
	# shellcheck disable=SC2086
	[ -z "$children" ] || kill $children 2>/dev/null
	rm -rf "$work"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

ip link add va type veth peer name vb || none 'no veth'
# No packets but those that are sent here.
echo 1 2>/dev/null >/proc/sys/net/ipv6/conf/all/disable_ipv6
ip link set va up
ip link set vb up

# verdict NAME RESULT: passed if that is 0; else what was said is shown.
verdict() {
	if [ "$2" = 0 ]; then
		echo "ok $1"
		passed=$((passed + 1))
	else
		echo "FAIL $1:"
		for f in "$work"/*.err "$work"/out; do
			[ ! -s "$f" ] || head -5 "$f" | sed "s|^|  ${f##*/}: |"
		done
		failed=$((failed + 1))
	fi
	rm -f "$work"/*.err "$work"/out
}
# until_ok SECONDS COMMAND...: until the command succeeds.
until_ok() {
	tries=$(($1 * 100))
	shift
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.01
	done
}
lines() { wc -l <"$1" 2>/dev/null || echo 0; }
more_than() { [ "$(lines "$2")" -gt "$1" ]; }
# Of a child that nobody has waited for yet, too.
gone() { case $(cut -d' ' -f3 "/proc/$1/stat" 2>/dev/null) in '' | Z) ;; *) false ;; esac }
# Nothing of ours is at an interface here: other captures may run elsewhere.
clean() { ! "$sonde" status | grep -qE '[[:space:]](va|vb|lo)[[:space:]]'; }
in_background() {
	"$@" &
	pid=$!
	children="$children $pid"
}
stop() {
	kill "$@" 2>/dev/null
	wait "$@" 2>/dev/null
}
# What they say whenever root runs them, or of each file, is no complaint.
unsaid() {
	sed -i -e '/^Running as user "root"/d' -e '/^reading from file /d' "$1"
	[ ! -s "$1" ]
}

# As an extcap. Root's programs look in their own directory only.
extcap=$(tshark -G folders 2>/dev/null | sed -n 's/^Extcap path:[[:space:]]*//p')
mkdir "$work/extcap"
cp "$sonde" "$work/extcap/sonde"
if [ -d "$extcap" ] && mount --bind "$work/extcap" "$extcap"; then
	tshark -D 2>"$work/tshark.err" | sed 's/^[0-9]*\. //' | grep sonde >"$work/out"
	printf 'sonde%s (eBPF capture on %s)\n' '' 'all interfaces' -lo lo -va va -vb vb |
		cmp -s - "$work/out"
	verdict 'tshark lists an interface for each of ours, and one for all' $?

	tshark -L -i sonde-va >"$work/out" 2>"$work/tshark.err"
	grep -q 'EN10MB' "$work/out"
	verdict 'tshark knows the kind of packets' $?

	in_background "$flood" va 0x88b5 0 50 64 1400
	senders=$pid
	in_background "$flood" va 0x88b6 0 50 64
	senders="$senders $pid"
	# captures NAME IFACE FILTER ETHERTYPES [OPTIONS]: ten packets, no error, and nothing stays.
	captures() {
		name=$1 iface=$2 filter=$3 types=$4
		shift 4
		timeout 30 tshark "$@" -n -i "$iface" ${filter:+-f "$filter"} -c 10 -T fields -e eth.type \
			>"$work/out" 2>"$work/tshark.err"
		[ "$?$(lines "$work/out")$(sort -u "$work/out" | tr '\n' ' ')" = "010$types " ] &&
			! grep -q 'Error' "$work/tshark.err" && until_ok 5 clean
		verdict "$name" $?
	}
	captures 'tshark captures on an interface' sonde-va '' '0x88b5 0x88b6'
	captures 'tshark captures on all interfaces' sonde 'ether proto 0x88b5' 0x88b5
	captures 'tshark captures what the filter chooses' sonde-vb 'ether proto 0x88b6' 0x88b6
	captures 'tshark sets the options' sonde-vb 'ether proto 0x88b5' 0x88b5 -o extcap.sonde_vb.at:xdp \
		-o extcap.sonde_vb.direction:in -o extcap.sonde_vb.snaplen:64 \
		-o extcap.sonde_vb.nopromiscuousmode:true

	timeout 30 tshark -i sonde-va -a duration:1 -w "$work/file" >"$work/out" 2>"$work/tshark.err" &&
		! grep -q 'Error' "$work/tshark.err" && until_ok 5 clean
	verdict 'tshark ends a capture by itself' $?
	# shellcheck disable=SC2086
	stop $senders

	! timeout 30 tshark -i sonde-va -f 'tcp prot 80' -c 1 >"$work/out" 2>"$work/tshark.err" &&
		grep -q "Error by extcap pipe: sonde capture: filter, at byte 4: .*'prot'" \
		"$work/tshark.err"
	verdict 'a filter with a mistake is refused in our words' $?
	! timeout 30 tshark -o extcap.sonde_va.at:nowhere -i sonde-va -c 1 >"$work/out" 2>"$work/tshark.err" &&
		grep -q 'sonde capture: --at: nowhere is not one of' "$work/tshark.err"
	verdict 'so is an option' $?
	umount "$extcap"
else
	skip 'sonde as an extcap' "tshark has no directory for it ($extcap)"
fi
# What Wireshark's dialogues ask, and what they make of the answers.
"$sonde" --extcap-interface=sonde-va --extcap-capture-filter='tcp prot 80' >"$work/out" 2>"$work/sonde.err" &&
	grep -q "^filter, at byte 4: .*'prot'" "$work/out" &&
	"$sonde" --extcap-interface sonde-va --extcap-capture-filter 'tcp port 80' >"$work/out" &&
	[ ! -s "$work/out" ] && [ ! -s "$work/sonde.err" ]
verdict 'a dialogue hears of a mistake, and nothing of a good filter' $?
"$sonde" capture --extcap-interface=sonde-va --extcap-config --extcap-reload-option=at >"$work/out" 2>"$work/sonde.err" &&
	grep -q '^arg {number=1}{call=--at}.*{type=selector}' "$work/out" &&
	grep -q '^value {arg=1}{value=tc}{display=tc}{default=true}$' "$work/out" &&
	grep -q '{call=--snaplen}.*{type=unsigned}.*{range=0,262144}$' "$work/out" &&
	grep -q '{call=--no-promiscuous-mode}.*{type=boolflag}' "$work/out"
verdict 'a dialogue is told the options' $?

# Over a pipe, as ssh makes one. piped READER...: a capture of our frames, and its reader.
mkfifo "$work/pipe"
piped() {
	: >"$work/sonde.err"
	"$sonde" capture -i va -w - ether proto 0x88b5 >"$work/pipe" 2>"$work/sonde.err" &
	writer=$!
	"$@" <"$work/pipe" >"$work/out" 2>"$work/reader.err" &
	reader=$!
	children="$children $writer $reader"
	until_ok 10 grep -q 'va: in' "$work/sonde.err"
}
# A packet's way to the reader's answer in ms: the best of three, for others use this machine, too.
delay() {
	best=9999
	for _ in 1 2 3; do
		had=$(lines "$work/out")
		start=$(date +%s%3N)
		"$flood" va 0x88b5 1 1 64
		until_ok 10 more_than "$had" "$work/out"
		took=$(($(date +%s%3N) - start))
		[ $took -ge $best ] || best=$took
	done
	echo $best
}
for reader_is in 'tcpdump -l -n -r -' 'tshark -l -n -r -'; do
	# shellcheck disable=SC2086
	piped $reader_is
	ms=$(delay)
	# Not by a signal that it could answer once a packet has come: none comes any more.
	kill -KILL $reader
	until_ok 5 gone $writer && [ "$ms" -lt 500 ] && clean
	verdict "$reader_is has a packet at once ($ms ms), and its end is ours" $?
	stop $writer $reader
done
piped dumpcap -q -i - -c 20 -w "$work/file"
"$flood" va 0x88b5 20 1000 64 1400
until_ok 10 gone $reader && until_ok 5 gone $writer && clean &&
	[ "$(capinfos -Mrc "$work/file" 2>/dev/null | sed -n 's/^Number of packets: *//p')" = 20 ]
verdict 'dumpcap -i - takes 20 packets, and its end is ours' $?
stop $writer $reader

# Files. has NAME: capinfos, tshark and tcpdump find so many packets in $files, and say nothing else.
has() {
	: >"$work/peers.err"
	# shellcheck disable=SC2086
	by_capinfos=$(capinfos -TMrc $files 2>>"$work/peers.err" | awk '{ n += $2 } END { print n }')
	by_tshark=0 by_tcpdump=0
	for f in $files; do
		by_tshark=$((by_tshark + $(tshark -n -r "$f" 2>>"$work/peers.err" | wc -l)))
		by_tcpdump=$((by_tcpdump + $(tcpdump -nq -r "$f" 2>>"$work/peers.err" | wc -l)))
	done
	[ "$by_capinfos $by_tshark $by_tcpdump" = "$captured $captured $captured" ] && unsaid "$work/peers.err"
	verdict "$1 ($captured packets)" $?
}
# filled OPTIONS...: a capture of a flood; $captured and $files.
filled() {
	rm -f "$work"/file*
	: >"$work/sonde.err"
	"$sonde" capture -i va -Q out -B 131072 -w "$work/file" "$@" ether proto 0x88b5 2>"$work/sonde.err" &
	writer=$!
	children="$children $writer"
	until_ok 10 grep -q 'va: out' "$work/sonde.err"
	"$flood" va 0x88b5 200000 10000000 64 1400
	kill -INT $writer
	wait $writer
	captured=$(sed -n 's/ packets captured$//p' "$work/sonde.err")
	lost=$(sed -n 's/ packets dropped by kernel$//p' "$work/sonde.err")
	files=$(ls "$work"/file*)
	[ $((captured + lost)) = 200000 ] && [ "$captured" -gt 100000 ]
	verdict "every packet of 200000 is in a file or said to be lost ($lost)" $?
}
filled
LC_ALL=C grep -qaF "$(printf 'nos\200')" "$work/file" ||
	skip 'blocks that only fill up' "none were written: $work has no O_DIRECT, or never a whole chunk"
has 'blocks that only fill up are nothing to capinfos, tshark and tcpdump'
mergecap -w "$work/merged" "$work/file" 2>"$work/peers.err" &&
	[ "$(capinfos -TMrc "$work/merged" | cut -f2)" = "$captured" ] && unsaid "$work/peers.err"
verdict 'nor to mergecap' $?
rm -f "$work/merged"
filled -C 20
[ "$(echo "$files" | wc -l)" -gt 3 ]
verdict "they are several files" $?
has 'capinfos, tshark and tcpdump read a row of files'

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
