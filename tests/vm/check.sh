#!/bin/sh
# SPDX-License-Identifier: MIT
# Boots machines of the matrix, as many at once as there are CPUs, and sums up what they told.
# usage: check.sh [-k KERNEL] [-a ARCH] [-s SET]: all of them, or those of a kernel (5.10, 6.1-s390x),
# an architecture, a set (test). Logs and results stay in build/vm/out.
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

# One machine, from here on in a process of its own: name arch suite plan sets arguments
if [ -n "${VM_MACHINE:-}" ]; then
	# shellcheck disable=SC2086
	set -- $VM_MACHINE
	name=$1 arch=$2 suite=$3 plan=$4
	shift 5
	build=build
	[ "$arch" = "$VM_HOST_ARCH" ] || build=build/$arch
	from=$vm/kernel/$arch-$suite
	start=$(date +%s)
	rc=0
	if [ -e "$from/.ready" ]; then
		sh "$here/boot.sh" "$arch" "$from" "$build" "$here/$plan.plan" "$out/$name.log" "$@" || rc=$?
	else
		rc=none
	fi
	case $rc in
	0 | 1) end=done ;;
	124) end='FAIL: not done in time' ;;
	none) end='FAIL: no kernel package' ;;
	*) end='FAIL: the machine died' ;;
	esac
	printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$name" "$arch" "$(cat "$from/release" || echo ?)" "$plan" \
		"$end" "$(($(date +%s) - start))" >"$out/$name.end"
	echo "vm $name: $end, $(($(date +%s) - start)) s"
	exit 0
fi

# K=6.1 is that kernel on every architecture and in every plan; K=6.1-s390x one machine.
machines=$(awk -v k="$kernel" -v a="$arch" -v s="$set" '/^[^#]/ {
	version = $1; sub(/-.*/, "", version)
	if ((k == "" || k == $1 || k == version) && (a == "" || a == $2) &&
	    (s == "" || index("," $5 ",", "," s ",")))
		print
}' "$here/matrix")
[ -n "$machines" ] || {
	echo "check-vm: no machine of tests/vm/matrix is of kernel '$kernel', architecture '$arch'" >&2
	exit 2
}

mkdir -p "$out"
rm -f "$out"/*
host=$(uname -m)
[ "$host" != aarch64 ] || host=arm64
for a in $({
	echo "host $host"
	echo "$machines"
} | awk '!seen[$2]++ { print $2 }'); do
	${MAKE:-make} -s -j"$(nproc)" "ARCH=$a" vm-programs
done
echo "$machines" | awk '!seen[$2 $3]++ { print $2, $3 }' | while read -r a suite; do
	# A server in the middle of its update is right again soon. A kernel that stays away is counted below.
	for try in 1 2 3; do
		sh "$here/kernel.sh" "$a" "$suite" "$vm/kernel/$a-$suite" </dev/null && break
		sleep $((try * 5))
	done
done
# Every scenario there is: one that is not reported has failed.
for program in run net; do
	build/tests/$program/$program -l | sed "s|^|$program\t|"
done >"$out/scenarios"

export VM_HOST_ARCH="$host"
echo "$machines" | tr '\n' '\0' | xargs -0 -P "$(nproc)" -I{} env VM_MACHINE={} sh "$0"
sh "$here/summary.sh" "$out" "$machines"
