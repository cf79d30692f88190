#!/bin/sh
# SPDX-License-Identifier: MIT
# Tests live captures with other tools: Wireshark's programs start sonde as an extcap, read its captures
# from a pipe, and read files that were written with O_DIRECT, without a warning.
# usage: tests/peers/live.sh SONDE FLOOD
set -u
sonde=${1:?usage: tests/peers/live.sh SONDE FLOOD}
flood=${2:?usage: tests/peers/live.sh SONDE FLOOD}
export LC_ALL=C.UTF-8 TZ=UTC
passed=0 failed=0 skipped=0

report_skip() {
	echo "skip $1: $2"
	skipped=$((skipped + 1))
}
skip_all() {
	report_skip 'live captures with other tools' "$1"
	echo '0 passed, 0 failed, 1 skipped'
	exit 0
}
[ "$(id -u)" = 0 ] || skip_all 'needs root'
for tool in tshark dumpcap tcpdump capinfos mergecap ip unshare; do
	command -v $tool >/dev/null || skip_all "no $tool (make deps-all)"
done
# Private network and mount namespaces, which end with this script.
[ "${3:-}" = inside ] || exec unshare -nm -- sh "$0" "$sonde" "$flood" inside
work=$(mktemp -d)
children=
clean_up() {
	# shellcheck disable=SC2086
	[ -z "$children" ] || kill $children 2>/dev/null
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

ip link add va type veth peer name vb || skip_all 'no veth'
# Without IPv6 the interfaces carry no other packets.
echo 1 2>/dev/null >/proc/sys/net/ipv6/conf/all/disable_ipv6
ip link set va up
ip link set vb up

# report_result NAME RESULT: passed if RESULT is 0; otherwise prints what the programs wrote.
report_result() {
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
# wait_until SECONDS COMMAND...: waits until the command succeeds, at most that long.
wait_until() {
	tries=$(($1 * 100))
	shift
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.01
	done
}
count_lines() { wc -l <"$1" 2>/dev/null || echo 0; }
has_more_lines() { [ "$(count_lines "$2")" -gt "$1" ]; }
# has_ended PID: true also for a child that is not reaped yet.
has_ended() { case $(cut -d' ' -f3 "/proc/$1/stat" 2>/dev/null) in '' | Z) ;; *) false ;; esac }
# No program of sonde is attached to the interfaces here. Other captures may run elsewhere.
is_detached() { ! "$sonde" status | grep -qE '[[:space:]](va|vb|lo)[[:space:]]'; }
start_background() {
	"$@" &
	pid=$!
	children="$children $pid"
}
stop_processes() {
	kill "$@" 2>/dev/null
	wait "$@" 2>/dev/null
}
# is_silent FILE: no output, apart from the messages that these tools always print.
is_silent() {
	sed -i -e '/^Running as user "root"/d' -e '/^reading from file /d' "$1"
	[ ! -s "$1" ]
}

# As an extcap. For root, Wireshark's programs search only the personal extcap directory.
extcap=$(tshark -G folders 2>/dev/null | sed -n 's/^Extcap path:[[:space:]]*//p')
mkdir "$work/extcap"
cp "$sonde" "$work/extcap/sonde"
if [ -d "$extcap" ] && mount --bind "$work/extcap" "$extcap"; then
	tshark -D 2>"$work/tshark.err" | sed 's/^[0-9]*\. //' | grep sonde >"$work/out"
	printf 'sonde%s (eBPF capture on %s)\n' '' 'all interfaces' -lo lo -va va -vb vb |
		cmp -s - "$work/out"
	report_result 'tshark lists an extcap interface for each interface, and one for all' $?

	tshark -L -i sonde-va >"$work/out" 2>"$work/tshark.err"
	grep -q 'EN10MB' "$work/out"
	report_result 'tshark shows the link type' $?

	start_background "$flood" va 0x88b5 0 50 64 1400
	senders=$pid
	start_background "$flood" va 0x88b6 0 50 64
	senders="$senders $pid"
	# check_capture NAME IFACE FILTER ETHERTYPES [OPTIONS]: captures ten packets without an error, and
	# leaves nothing attached.
	check_capture() {
		name=$1 iface=$2 filter=$3 types=$4
		shift 4
		timeout 30 tshark "$@" -n -i "$iface" ${filter:+-f "$filter"} -c 10 -T fields -e eth.type \
			>"$work/out" 2>"$work/tshark.err"
		[ "$?$(count_lines "$work/out")$(sort -u "$work/out" | tr '\n' ' ')" = "010$types " ] &&
			! grep -q 'Error' "$work/tshark.err" && wait_until 5 is_detached
		report_result "$name" $?
	}
	check_capture 'tshark captures on an interface' sonde-va '' '0x88b5 0x88b6'
	check_capture 'tshark captures on all interfaces' sonde 'ether proto 0x88b5' 0x88b5
	check_capture 'tshark captures what the filter matches' sonde-vb 'ether proto 0x88b6' 0x88b6
	check_capture 'tshark sets the options' sonde-vb 'ether proto 0x88b5' 0x88b5 -o extcap.sonde_vb.at:xdp \
		-o extcap.sonde_vb.direction:in -o extcap.sonde_vb.snaplen:64 \
		-o extcap.sonde_vb.nopromiscuousmode:true

	timeout 30 tshark -i sonde-va -a duration:1 -w "$work/file" >"$work/out" 2>"$work/tshark.err" &&
		! grep -q 'Error' "$work/tshark.err" && wait_until 5 is_detached
	report_result 'tshark ends a capture after -a duration' $?
	# shellcheck disable=SC2086
	stop_processes $senders

	! timeout 30 tshark -i sonde-va -f 'tcp prot 80' -c 1 >"$work/out" 2>"$work/tshark.err" &&
		grep -q "Error by extcap pipe: sonde capture: filter, at byte 4: .*'prot'" \
		"$work/tshark.err"
	report_result "tshark shows sonde's error for a wrong filter" $?
	! timeout 30 tshark -o extcap.sonde_va.at:nowhere -i sonde-va -c 1 >"$work/out" 2>"$work/tshark.err" &&
		grep -q 'sonde capture: --at: nowhere is not one of' "$work/tshark.err"
	report_result "tshark shows sonde's error for a wrong option" $?
	umount "$extcap"
else
	report_skip 'sonde as an extcap' "tshark has no extcap directory ($extcap)"
fi
# The queries of Wireshark's dialogs.
"$sonde" --extcap-interface=sonde-va --extcap-capture-filter='tcp prot 80' >"$work/out" 2>"$work/sonde.err" &&
	grep -q "^filter, at byte 4: .*'prot'" "$work/out" &&
	"$sonde" --extcap-interface sonde-va --extcap-capture-filter 'tcp port 80' >"$work/out" &&
	[ ! -s "$work/out" ] && [ ! -s "$work/sonde.err" ]
report_result 'a dialog gets the error of a wrong filter, and nothing for a correct one' $?
"$sonde" capture --extcap-interface=sonde-va --extcap-config --extcap-reload-option=at >"$work/out" 2>"$work/sonde.err" &&
	grep -q '^arg {number=1}{call=--at}.*{type=selector}' "$work/out" &&
	grep -q '^value {arg=1}{value=tc}{display=tc}{default=true}$' "$work/out" &&
	grep -q '{call=--snaplen}.*{type=unsigned}.*{range=0,262144}$' "$work/out" &&
	grep -q '{call=--no-promiscuous-mode}.*{type=boolflag}' "$work/out"
report_result 'a dialog gets the options' $?

# Over a pipe, as with ssh. start_pipe READER...: starts a capture of the test's frames and its reader.
mkfifo "$work/pipe"
start_pipe() {
	: >"$work/sonde.err"
	"$sonde" capture -i va -w - ether proto 0x88b5 >"$work/pipe" 2>"$work/sonde.err" &
	writer=$!
	"$@" <"$work/pipe" >"$work/out" 2>"$work/reader.err" &
	reader=$!
	children="$children $writer $reader"
	wait_until 10 grep -q 'va: in' "$work/sonde.err"
}
# Prints the time from sending a packet to the reader's output, in ms. The best of three, since other
# programs use this machine, too.
measure_delay() {
	best=9999
	for _ in 1 2 3; do
		had=$(count_lines "$work/out")
		start=$(date +%s%3N)
		"$flood" va 0x88b5 1 1 64
		wait_until 10 has_more_lines "$had" "$work/out"
		took=$(($(date +%s%3N) - start))
		[ $took -ge $best ] || best=$took
	done
	echo $best
}
for reader_command in 'tcpdump -l -n -r -' 'tshark -l -n -r -'; do
	# shellcheck disable=SC2086
	start_pipe $reader_command
	ms=$(measure_delay)
	# SIGKILL: a reader that handles the signal may wait for another packet, and none will come.
	kill -KILL $reader
	wait_until 5 has_ended $writer && [ "$ms" -lt 500 ] && is_detached
	report_result "$reader_command gets a packet within 500 ms ($ms ms); capture ends with it" $?
	stop_processes $writer $reader
done
start_pipe dumpcap -q -i - -c 20 -w "$work/file"
"$flood" va 0x88b5 20 1000 64 1400
wait_until 10 has_ended $reader && wait_until 5 has_ended $writer && is_detached &&
	[ "$(capinfos -Mrc "$work/file" 2>/dev/null | sed -n 's/^Number of packets: *//p')" = 20 ]
report_result 'dumpcap -i - takes 20 packets; capture ends with it' $?
stop_processes $writer $reader

# Files. check_files NAME: capinfos, tshark and tcpdump find $captured packets in $files, without a
# warning.
check_files() {
	: >"$work/peers.err"
	# shellcheck disable=SC2086
	by_capinfos=$(capinfos -TMrc $files 2>>"$work/peers.err" | awk '{ n += $2 } END { print n }')
	by_tshark=0 by_tcpdump=0
	for f in $files; do
		by_tshark=$((by_tshark + $(tshark -n -r "$f" 2>>"$work/peers.err" | wc -l)))
		by_tcpdump=$((by_tcpdump + $(tcpdump -nq -r "$f" 2>>"$work/peers.err" | wc -l)))
	done
	[ "$by_capinfos $by_tshark $by_tcpdump" = "$captured $captured $captured" ] && is_silent "$work/peers.err"
	report_result "$1 ($captured packets)" $?
}
# capture_flood OPTIONS...: captures a flood of 200000 packets. Sets $captured, $lost and $files.
capture_flood() {
	rm -f "$work"/file*
	: >"$work/sonde.err"
	"$sonde" capture -i va -Q out -B 131072 -w "$work/file" "$@" ether proto 0x88b5 2>"$work/sonde.err" &
	writer=$!
	children="$children $writer"
	wait_until 10 grep -q 'va: out' "$work/sonde.err"
	"$flood" va 0x88b5 200000 10000000 64 1400
	kill -INT $writer
	wait $writer
	captured=$(sed -n 's/ packets captured$//p' "$work/sonde.err")
	lost=$(sed -n 's/ packets dropped by kernel$//p' "$work/sonde.err")
	files=$(ls "$work"/file*)
	[ $((captured + lost)) = 200000 ] && [ "$captured" -gt 100000 ]
	report_result "each of 200000 packets is in a file or reported as lost ($lost)" $?
}
capture_flood
LC_ALL=C grep -qaF "$(printf 'nos\200')" "$work/file" ||
	report_skip 'padding blocks' "none were written: $work has no O_DIRECT, or no chunk was full"
check_files 'capinfos, tshark and tcpdump ignore padding blocks'
mergecap -w "$work/merged" "$work/file" 2>"$work/peers.err" &&
	[ "$(capinfos -TMrc "$work/merged" | cut -f2)" = "$captured" ] && is_silent "$work/peers.err"
report_result 'mergecap ignores padding blocks' $?
rm -f "$work/merged"
capture_flood -C 20
[ "$(echo "$files" | wc -l)" -gt 3 ]
report_result '-C writes several files' $?
check_files 'capinfos, tshark and tcpdump read several files'

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
