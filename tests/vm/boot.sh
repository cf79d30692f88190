#!/bin/sh
# SPDX-License-Identifier: MIT
# Boots a kernel under QEMU with an initramfs of tests/vm/init, sonde and the test programs, and writes
# the console's output to a log: boot.sh ARCH KERNEL-DIR BUILD-DIR PLAN LOG [KERNEL-ARGUMENT...]
# Boots again if the console is silent for $VM_SILENCE seconds, or if the kernel has reported
# $VM_LOCKUPS times that a CPU is stuck: emulated kernels sometimes lock up. During tests init writes a
# line every ten seconds, and goes on doing so if only one CPU is stuck.
# Exit status: 0 all passed, 1 something failed, 3 the machine died, 4 it did not start, 5 it locked up
# in each try, 124 it took longer than $VM_SECONDS, 130 interrupted.
set -eu
arch=$1 kernel=$2 build=$3 plan=$4 log=$5
shift 5
seconds=${VM_SECONDS:-1200}
silence=${VM_SILENCE:-60}
lockups=${VM_LOCKUPS:-5} # a busy host causes one or two

# Without hardware acceleration, which is rarely available where tests run, and never for other CPUs.
case $arch in
x86_64) qemu='qemu-system-x86_64 -M pc -cpu max' console=ttyS0 ;;
arm64) qemu='qemu-system-aarch64 -M virt -cpu max,pauth-impdef=on' console=ttyAMA0 ;;
armhf) qemu='qemu-system-arm -M virt -cpu max' console=ttyAMA0 ;;
riscv64) qemu='qemu-system-riscv64 -M virt' console=ttyS0 ;;
# QEMU's emulation of the vector facility computes wrong checksums.
s390x) qemu='qemu-system-s390x -M s390-ccw-virtio -cpu max,vx=off' console=ttysclp0 ;;
*) exit 4 ;;
esac

# QEMU runs in the background: a shell handles no signals while it waits for a foreground child.
work=$(mktemp -d)
machine='' watcher=''
result=4
clean_up()
{
	# shellcheck disable=SC2086
	[ -z "$machine$watcher" ] || kill $machine $watcher 2>/dev/null || :
	rm -rf "$work"
	exit "$result"
}
trap clean_up EXIT
trap 'result=130; exit' HUP INT TERM

# Kills QEMU, process $1, when the machine has locked up. Waits longer for a line on the console in
# proportion to the load of a busy host.
watch_console()
{
	size=0 since=$(date +%s)
	while sleep 1 && [ -e "$work/console" ]; do
		now=$(date +%s) was=$size
		size=$(wc -c <"$work/console")
		[ "$size" = "$was" ] || since=$now
		limit=$(awk -v s="$silence" -v n="$(nproc)" '{ print int(s * ($1 > n ? $1 / n : 1)) }' /proc/loadavg)
		why=''
		[ $((now - since)) -lt "$limit" ] || why="silent for $((now - since)) s"
		[ "$(grep -ac 'soft lockup' "$work/console")" -lt "$lockups" ] || why='a CPU is stuck'
		[ -z "$why" ] || {
			echo "$why" >"$work/locked"
			kill "$1" 2>/dev/null || :
			return 0
		}
	done
}

nonce=$(basename "$work")
mkdir "$work/root"
cp "$build/tests/vm/init" "$build/sonde" "$build/tests/run/run" "$build/tests/net/net" "$work/root"
cp -r "$kernel/modules" "$work/root"
{
	echo "nonce $nonce"
	grep -v '^#' "$plan"
} >"$work/root/plan"
(cd "$work/root" && find . | LC_ALL=C sort | cpio -o -H newc -R 0:0 --quiet) >"$work/initrd"

for try in 1 2 3; do
	: >"$work/console"
	rm -f "$work/locked"
	rc=0
	# shellcheck disable=SC2086
	timeout "$seconds" $qemu -accel tcg -m 512 -smp 2 -nodefaults -display none -no-reboot \
		-serial "file:$work/console" -kernel "$kernel/vmlinuz" -initrd "$work/initrd" \
		-append "console=$console quiet loglevel=3 panic=-1 $*" </dev/null >"$work/qemu" 2>&1 &
	machine=$!
	watch_console $machine &
	watcher=$!
	wait "$machine" || rc=$?
	machine=''
	kill "$watcher" 2>/dev/null || :
	watcher=''
	tr -d '\r\0' <"$work/console" >"$log"
	if [ -e "$work/locked" ]; then
		echo "vm: $(cat "$work/locked") in try $try" >>"$log"
		cp "$log" "${log%.log}.locked.$try"
		continue
	fi
	if [ "$rc" = 124 ] || grep -q '^vm: ' "$log"; then
		break
	fi
	echo "vm: init did not start in try $try, QEMU exited with $rc" >>"$log"
	cat "$work/qemu" >>"$log"
done

end=$(sed -n "s/^vm-end $nonce //p" "$log")
if [ -e "$work/locked" ]; then
	result=5
	exit
fi
case $rc$end in
124*) result=124 ;;
0) result=3 ;;
00) result=0 ;;
0*) result=1 ;;
*)
	result=3
	cat "$work/qemu" >>"$log"
	;;
esac
