#!/bin/sh
# SPDX-License-Identifier: MIT
# Boots a kernel under QEMU with nothing but our own init, sonde and the test programs, and keeps
# what the console says: boot.sh ARCH KERNEL-DIR BUILD-DIR PLAN LOG [KERNEL-ARGUMENT...]
# Exit: 0 all passed, 1 something failed, 3 the machine died, 4 it could not be started, 124 it was
# not done in time ($VM_SECONDS).
set -eu
arch=$1 kernel=$2 build=$3 plan=$4 log=$5
shift 5
seconds=${VM_SECONDS:-1200}

# No hardware acceleration: it is seldom there where tests run, and other processors never have it.
case $arch in
x86_64) qemu='qemu-system-x86_64 -M pc -cpu max' console=ttyS0 ;;
arm64) qemu='qemu-system-aarch64 -M virt -cpu max,pauth-impdef=on' console=ttyAMA0 ;;
armhf) qemu='qemu-system-arm -M virt -cpu max' console=ttyAMA0 ;;
riscv64) qemu='qemu-system-riscv64 -M virt' console=ttyS0 ;;
# With the vector facility, checksums come out wrong under emulation.
s390x) qemu='qemu-system-s390x -M s390-ccw-virtio -cpu max,vx=off' console=ttysclp0 ;;
*) exit 4 ;;
esac

# QEMU runs beside this shell: a shell that waits for its child in front minds no signal meanwhile.
work=$(mktemp -d)
machine=''
result=4
finish()
{
	[ -z "$machine" ] || kill "$machine" 2>/dev/null || :
	rm -rf "$work"
	exit "$result"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

nonce=$(basename "$work")
mkdir "$work/root"
cp "$build/tests/vm/init" "$build/sonde" "$build/tests/run/run" "$build/tests/net/net" "$work/root"
cp -r "$kernel/modules" "$work/root"
{
	echo "nonce $nonce"
	grep -v '^#' "$plan"
} >"$work/root/plan"
(cd "$work/root" && find . | LC_ALL=C sort | cpio -o -H newc -R 0:0 --quiet) >"$work/initrd"

# Emulated kernels of the newest kind sometimes die before init starts: that says nothing of us.
for try in 1 2 3; do
	: >"$work/console"
	rc=0
	# shellcheck disable=SC2086
	timeout "$seconds" $qemu -accel tcg -m 512 -smp 2 -nodefaults -display none -no-reboot \
		-serial "file:$work/console" -kernel "$kernel/vmlinuz" -initrd "$work/initrd" \
		-append "console=$console quiet loglevel=3 panic=-1 $*" </dev/null >"$work/qemu" 2>&1 &
	machine=$!
	wait "$machine" || rc=$?
	machine=''
	tr -d '\r\0' <"$work/console" >"$log"
	if [ "$rc" = 124 ] || grep -q '^vm: ' "$log"; then
		break
	fi
	echo "vm: no init at try $try, qemu exited with $rc" >>"$log"
	cat "$work/qemu" >>"$log"
done

end=$(sed -n "s/^vm-end $nonce //p" "$log")
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
