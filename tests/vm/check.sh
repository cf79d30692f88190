#!/bin/sh
# SPDX-License-Identifier: MIT
# Boots machines of the matrix, as many at once as there are CPUs, and sums up what they told.
# usage: check.sh [-k KERNELS] [-a ARCH] [-s SET] [-b BUILD]: all of them, or those of some kernels (5.10,
# 6.1-s390x), an architecture, a set (test). With the programs in directory BUILD, made before, of this
# host's architecture. Logs and results stay in build/vm/out. $HOST_ARCH: this host's, as the Makefile
# names it. If it is cut off, the table has what is done.
set -eu
unset MAKEFLAGS MAKELEVEL MFLAGS # ARCH is not one for all that is made here
here=$(dirname "$0")
vm=build/vm
out=$vm/out
kernels=build/fetched/kernel
kernel='' arch='' set='' built=''
while getopts k:a:s:b: option; do
	case $option in
	k) kernel=$OPTARG ;;
	a) arch=$OPTARG ;;
	s) set=$OPTARG ;;
	b) built=$OPTARG out=$vm/out-$(basename "$OPTARG") ;;
	*) exit 2 ;;
	esac
done

# One machine, in a process of its own: name arch suite plan sets arguments
run_machine()
{
	name=$1 arch=$2 suite=$3 plan=$4
	shift 5
	build=${VM_BUILT:-build}
	[ "$arch" = "$HOST_ARCH" ] || build=build/$arch
	out=$VM_OUT
	from=$kernels/$arch-$suite
	start=$(date +%s)
	# An emulated kernel may lock up on a busy host: once more, and said. Twice is a failure.
	for try in 1 2; do
		rc=0
		[ -e "$from/.ready" ] || rc=kernel
		[ "$rc" = kernel ] || sh "$here/boot.sh" "$arch" "$from" "$build" "$here/$plan.plan" \
			"$out/$name.log" "$@" || rc=$?
		[ "$rc" != 130 ] || return 0
		[ "$rc" = 3 ] || [ "$rc" = 124 ] || break
		[ "$try" = 2 ] || echo "vm $name: died or hung ($rc), again; $out/$name.first.log"
		[ "$try" = 2 ] || cp "$out/$name.log" "$out/$name.first.log"
	done
	case $rc in
	0 | 1) end='done' ;;
	3) end='FAIL: the machine died' ;;
	124) end='FAIL: not done in time' ;;
	5) end='FAIL: the machine fell silent three times' ;;
	kernel) end="no kernel: $(tail -n 1 "$from.why" 2>/dev/null)" ;;
	*) end='FAIL: not started' ;;
	esac
	took=$(($(date +%s) - start))
	release=$(cat "$from/release" 2>/dev/null || echo '?')
	[ ! -e "$from/.kept" ] || release="$release ($(cat "$from/.kept"))"
	printf '%s\t%s\t%s\t%s\t%s\n' "$name" "$arch" "$release" "$plan" "$end" >"$out/$name.end"
	echo "vm $name: $end, $took s"
}
if [ -n "${VM_MACHINE:-}" ]; then
	# shellcheck disable=SC2086
	run_machine $VM_MACHINE
	exit 0
fi

mkdir -p "$vm"
exec 9>"$vm/lock"
flock -n 9 || {
	echo "check-vm: another one is at work in this directory" >&2
	exit 1
}

# A server in the middle of its update is right again soon. A kernel that stays away is counted as
# a failure of its own, not of what would have run there.
fetch()
{
	mkdir -p "$kernels"
	for try in 1 2 3; do
		sh "$here/kernel.sh" "$1" "$2" "$kernels/$1-$2" </dev/null 2>"$kernels/$1-$2.why" && return
		cat "$kernels/$1-$2.why" >&2
		sleep $((try * 5))
	done
}

sid_version()
{
	fetch "$1" sid
	sed 's/\([0-9]*\.[0-9]*\).*/\1/' "$kernels/$1-sid/release" 2>/dev/null || echo sid
}

# K=6.1 is that kernel on every architecture and in every plan, K=6.1-s390x one machine. What sid has
# at the moment is known once it is there.
select_machines()
{
	grep -v '^#' "$here/matrix" | while read -r line; do
		# shellcheck disable=SC2086
		set -- $line
		[ -z "$arch" ] || [ "$arch" = "$2" ] || continue
		case ,$5, in
		*",$set,"*) ;;
		*) [ -z "$set" ] || continue ;;
		esac
		version=${1%%-*}
		case $kernel in
		'' | *sid*) ;;
		*) [ "$version" != sid ] || version=$(sid_version "$2") ;;
		esac
		case " $kernel " in
		'  ' | *" $1 "* | *" $version "*) echo "$line" ;;
		esac
	done
}
machines=$(select_machines)
[ -n "$machines" ] || {
	echo "check-vm: no machine of tests/vm/matrix is of kernel '$kernel', architecture '$arch'," \
		"set '$set'" >&2
	exit 2
}

mkdir -p "$out"
rm -f "$out"/*
[ -n "$built" ] || for a in $({
	echo "host $HOST_ARCH"
	echo "$machines"
} | awk '!seen[$2]++ { print $2 }'); do
	${MAKE:-make} -s -j"$(nproc)" SAN= "ARCH=$a" vm-programs
done
echo "$machines" | awk '!seen[$2 $3]++ { print $2, $3 }' | while read -r a suite; do
	fetch "$a" "$suite"
done
# Every scenario there is: one that is not reported has failed.
for program in run net; do
	TEST_MACHINE=1 "${built:-build}/tests/$program/$program" -l | sed "s|^|$program\t|"
done >"$out/scenarios"

# In a process group of their own, so that all of them end if this is cut off, and the table is made.
cut=''
export VM_OUT="$out" VM_BUILT="$built"
echo "$machines" | tr '\n' '\0' | setsid xargs -0 -P "$(nproc)" -I{} env VM_MACHINE={} sh "$0" &
group=$!
trap 'cut=1; kill -s TERM -- -$group 2>/dev/null || :' HUP INT TERM
wait "$group" || :
[ -z "$cut" ] || { wait "$group" || :; }
trap - HUP INT TERM
if [ -n "$cut" ]; then
	finished=$(echo "$machines" | while read -r name rest; do
		[ ! -e "$out/$name.end" ] || echo "$name $rest"
	done)
	[ -z "$finished" ] || sh "$here/summary.sh" "$out" "$finished" || :
	echo "check-vm: cut off with $(echo "$finished" | grep -c .) of $(echo "$machines" | wc -l) machines done"
	exit 130
fi
sh "$here/summary.sh" "$out" "$machines"
