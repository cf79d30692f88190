#!/bin/sh
# SPDX-License-Identifier: MIT
# Boots machines of the matrix, as many at once as there are CPUs, and sums up what they told.
# usage: check.sh [-k KERNEL] [-a ARCH] [-s SET]: all of them, or those of a kernel (5.10, 6.1-s390x),
# an architecture, a set (test). Logs and results stay in build/vm/out. $HOST_ARCH: this host's, as
# the Makefile names it.
set -eu
unset MAKEFLAGS MAKELEVEL MFLAGS # ARCH is not one for all that is made here
here=$(dirname "$0")
vm=build/vm
out=$vm/out
kernel='' arch='' set=''
while getopts k:a:s: option; do
	case $option in
	k) kernel=$OPTARG ;;
	a) arch=$OPTARG ;;
	s) set=$OPTARG ;;
	*) exit 2 ;;
	esac
done

# One machine, in a process of its own: name arch suite plan sets arguments
run_machine()
{
	name=$1 arch=$2 suite=$3 plan=$4
	shift 5
	build=build
	[ "$arch" = "$HOST_ARCH" ] || build=build/$arch
	from=$vm/kernel/$arch-$suite
	start=$(date +%s)
	# An emulated kernel may lock up on a busy host: once more, and said. Twice is a failure.
	for try in 1 2; do
		rc=0
		[ -e "$from/.ready" ] || rc=kernel
		[ "$rc" = kernel ] || sh "$here/boot.sh" "$arch" "$from" "$build" "$here/$plan.plan" \
			"$out/$name.log" "$@" || rc=$?
		[ "$rc" = 3 ] || [ "$rc" = 124 ] || break
		[ "$try" = 2 ] || echo "vm $name: died or hung ($rc), again; $out/$name.first.log"
		[ "$try" = 2 ] || cp "$out/$name.log" "$out/$name.first.log"
	done
	case $rc in
	0 | 1) end='done' ;;
	3) end='FAIL: the machine died' ;;
	124) end='FAIL: not done in time' ;;
	kernel) end='FAIL: no kernel package' ;;
	*) end='FAIL: not started' ;;
	esac
	took=$(($(date +%s) - start))
	release=$(cat "$from/release" 2>/dev/null || echo '?')
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
# a failure of its machines.
fetch()
{
	for try in 1 2 3; do
		sh "$here/kernel.sh" "$1" "$2" "$vm/kernel/$1-$2" </dev/null && return
		sleep $((try * 5))
	done
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
		if [ -n "$kernel" ] && [ "$version" = sid ] && [ "${kernel%%-*}" != sid ]; then
			fetch "$2" "$3"
			version=$(sed 's/\([0-9]*\.[0-9]*\).*/\1/' "$vm/kernel/$2-$3/release")
		fi
		[ -z "$kernel" ] || [ "$kernel" = "$1" ] || [ "$kernel" = "$version" ] || continue
		echo "$line"
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
for a in $({
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
	TEST_MACHINE=1 build/tests/$program/$program -l | sed "s|^|$program\t|"
done >"$out/scenarios"

echo "$machines" | tr '\n' '\0' | xargs -0 -P "$(nproc)" -I{} env VM_MACHINE={} sh "$0"
sh "$here/summary.sh" "$out" "$machines"
