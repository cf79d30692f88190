#!/bin/sh
# SPDX-License-Identifier: MIT
# Boots the machines of the matrix, one for each CPU at a time, and prints a table of the results.
# usage: check.sh [-k KERNELS] [-a ARCH] [-s SET] [-b BUILD]
#   -k  only these kernels ("6.1": all its machines, "6.1-s390x": one machine)
#   -a  only this architecture
#   -s  only this set ("test")
#   -b  use the existing programs in directory BUILD, for this host's architecture
# Logs and results stay in build/vm/out. $HOST_ARCH is this host's architecture, as the Makefile names
# it. After an interrupt, the table has the machines that are done.
set -eu
unset MAKEFLAGS MAKELEVEL MFLAGS # programs are built for several architectures
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

# Runs one machine: NAME ARCH SUITE PLAN SETS [KERNEL-ARGUMENT...], a line of the matrix.
run_machine()
{
	name=$1 arch=$2 suite=$3 plan=$4
	shift 5
	build=${VM_BUILT:-build}
	[ "$arch" = "$HOST_ARCH" ] || build=build/$arch
	out=$VM_OUT
	from=$kernels/$arch-$suite
	start=$(date +%s)
	# An emulated kernel may lock up or die on a busy host: with several threads the emulator may run
	# code that the kernel has just replaced (int3). Report that and try again.
	for try in 1 2 3; do
		rc=0
		[ -e "$from/.ready" ] || rc=kernel
		[ "$rc" = kernel ] || sh "$here/boot.sh" "$arch" "$from" "$build" "$here/$plan.plan" \
			"$out/$name.log" "$@" || rc=$?
		[ "$rc" != 130 ] || return 0
		[ "$rc" = 3 ] || [ "$rc" = 124 ] || break
		[ "$try" = 3 ] || echo "vm $name: died or hung ($rc), booting again; see $out/$name.$try.log"
		[ "$try" = 3 ] || cp "$out/$name.log" "$out/$name.$try.log"
	done
	case $rc in
	0 | 1) end='done' ;;
	3) end='FAIL: the machine died' ;;
	124) end='FAIL: timeout' ;;
	5) end='FAIL: the machine locked up in three tries' ;;
	kernel) end="no kernel: $(tail -n 1 "$from.why" 2>/dev/null)" ;;
	*) end='FAIL: the machine did not start' ;;
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
	echo "check-vm: another check-vm is running in this directory" >&2
	exit 1
}

# Retries, since a mirror may be in the middle of an update. A missing kernel counts as one failure, not
# as a failure of each scenario.
fetch_kernel()
{
	mkdir -p "$kernels"
	for try in 1 2 3; do
		sh "$here/kernel.sh" "$1" "$2" "$kernels/$1-$2" </dev/null 2>"$kernels/$1-$2.why" && return
		cat "$kernels/$1-$2.why" >&2
		sleep $((try * 5))
	done
}

print_sid_version()
{
	fetch_kernel "$1" sid
	sed 's/\([0-9]*\.[0-9]*\).*/\1/' "$kernels/$1-sid/release" 2>/dev/null || echo sid
}

# Prints the chosen lines of the matrix. sid's version is known only after its kernel is downloaded.
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
		*) [ "$version" != sid ] || version=$(print_sid_version "$2") ;;
		esac
		case " $kernel " in
		'  ' | *" $1 "* | *" $version "*) echo "$line" ;;
		esac
	done
}
machines=$(select_machines)
[ -n "$machines" ] || {
	echo "check-vm: tests/vm/matrix has no machine with kernel '$kernel', architecture '$arch'," \
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
	fetch_kernel "$a" "$suite"
done
# All scenarios. One that a machine does not report has failed.
for program in run net; do
	TEST_MACHINE=1 "${built:-build}/tests/$program/$program" -l | sed "s|^|$program\t|"
done >"$out/scenarios"

# In a process group of their own, so that an interrupt ends all of them, and this script prints the table.
interrupted=''
export VM_OUT="$out" VM_BUILT="$built"
echo "$machines" | tr '\n' '\0' | setsid xargs -0 -P "$(nproc)" -I{} env VM_MACHINE={} sh "$0" &
group=$!
trap 'interrupted=1; kill -s TERM -- -$group 2>/dev/null || :' HUP INT TERM
wait "$group" || :
[ -z "$interrupted" ] || { wait "$group" || :; }
trap - HUP INT TERM
if [ -n "$interrupted" ]; then
	finished=$(echo "$machines" | while read -r name rest; do
		[ ! -e "$out/$name.end" ] || echo "$name $rest"
	done)
	[ -z "$finished" ] || sh "$here/summary.sh" "$out" "$finished" || :
	echo "check-vm: interrupted, $(echo "$finished" | grep -c .) of $(echo "$machines" | wc -l) machines done"
	exit 130
fi
sh "$here/summary.sh" "$out" "$machines"
