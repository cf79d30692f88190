#!/bin/sh
# SPDX-License-Identifier: MIT
# Boots a kernel under QEMU with nothing but our own init, sonde and the test programs, and keeps
# what the console says: boot.sh ARCH KERNEL-DIR BUILD-DIR PLAN LOG [KERNEL-ARGUMENT...]
# Exit: 0 all passed, 1 something failed, 3 the machine died, 124 it was not done in time ($VM_SECONDS).
set -eu
arch=$1 kernel=$2 build=$3 plan=$4 log=$5
shift 5
seconds=${VM_SECONDS:-900}

# No hardware acceleration: it is seldom there where tests run, and other processors never have it.
case $arch in
x86_64) qemu='qemu-system-x86_64 -M pc -cpu max' console=ttyS0 ;;
arm64) qemu='qemu-system-aarch64 -M virt -cpu max,pauth-impdef=on' console=ttyAMA0 ;;
armhf) qemu='qemu-system-arm -M virt -cpu max' console=ttyAMA0 ;;
riscv64) qemu='qemu-system-riscv64 -M virt' console=ttyS0 ;;
# With the vector facility, checksums come out wrong under emulation.
s390x) qemu='qemu-system-s390x -M s390-ccw-virtio -cpu max,vx=off' console=ttysclp0 ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
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
		-append "console=$console quiet panic=-1 $*" </dev/null >"$work/qemu" 2>&1 || rc=$?
	tr -d '\r' <"$work/console" >"$log"
	! grep -q '^vm: ' "$log" || break
	echo "vm: no init at try $try" >>"$log"
	cat "$work/qemu" >>"$log"
done
[ "$rc" != 124 ] || exit 124
end=$(sed -n "s/^vm-end $nonce //p" "$log")
case $end in
'') exit 3 ;;
0) exit 0 ;;
*) exit 1 ;;
esac
