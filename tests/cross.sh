#!/bin/sh
# SPDX-License-Identifier: MIT
# Checks cross-built binaries: static, small, and they start under user-mode emulation. The emulator
# has no bpf(2); check-vm tests the rest on kernels of the architectures.
# usage: tests/cross.sh SIZE-LIMIT ARCH... (the limit in bytes)
set -u
unset MAKEFLAGS MAKELEVEL MFLAGS
limit=${1:?usage: tests/cross.sh SIZE-LIMIT ARCH...}
shift
passed=0 failed=0

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# run_check NAME COMMAND...: the check passes if the command does.
run_check() {
	name=$1
	shift
	if "$@" >"$log" 2>&1; then
		echo "ok $name"
		passed=$((passed + 1))
	else
		echo "FAIL $name"
		sed 's/^/  /' "$log" | tail -20
		failed=$((failed + 1))
	fi
}
# Without an interpreter, a shared library, or a relocation that needs a dynamic loader.
is_static() {
	! "$READELF" -ld "$binary" | grep -E 'INTERP|NEEDED' &&
		! "$READELF" -rW "$binary" | grep R_ | grep -vE '_RELATIVE|_NONE'
}
is_small() {
	size=$(wc -c <"$binary")
	[ "$size" -lt "$limit" ] || { echo "$size bytes" && return 1; }
}
reports_missing_bpf() {
	"$qemu" "$binary" count -i lo 2>&1 | grep -qE 'no bpf\(2\)|CAP_'
}

for arch in "$@"; do
	case $arch in
	arm64) qemu=qemu-aarch64 ;;
	armhf) qemu=qemu-arm ;;
	*) qemu=qemu-$arch ;;
	esac
	binary=build/$arch/sonde
	run_check "make ARCH=$arch" make -s SAN= "ARCH=$arch"
	run_check "$binary needs no interpreter and no library" is_static
	run_check "$binary is smaller than $((limit / 1024)) KiB" is_small
	run_check "$binary prints its help" "$qemu" "$binary" count --help
	run_check "$binary reports that BPF is missing" reports_missing_bpf
	run_check "$binary compiles a filter" "$qemu" "$binary" capture -d tcp port 80
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
