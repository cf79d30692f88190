#!/bin/sh
# SPDX-License-Identifier: MIT
# Cross-built binaries: static, and they start under user-mode emulation (which has no bpf(2), so
# that is as far as it goes without a kernel of that architecture).
# usage: tests/cross.sh ARCH...
set -u
unset MAKEFLAGS MAKELEVEL MFLAGS
passed=0 failed=0

log=$(mktemp)
trap 'rm -f "$log"' EXIT

check() {
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
# Nor any address that a dynamic loader would have to find: it moves itself, and does no more.
is_static() {
	! "$READELF" -ld "$binary" | grep -E 'INTERP|NEEDED' &&
		! "$READELF" -rW "$binary" | grep R_ | grep -vE '_RELATIVE|_NONE'
}
# s390x, whose instructions are long and whose linker does not pack relocations, has more.
limit_of() {
	case $1 in
	s390x) echo 720 ;;
	*) echo 624 ;;
	esac
}
is_small() {
	[ "$(wc -c <"$binary")" -lt $(($(limit_of "$arch") * 1024)) ]
}
says_no_bpf() {
	"$qemu" "$binary" count -i lo 2>&1 | grep -qE 'no bpf\(2\)|CAP_'
}

for arch in "$@"; do
	case $arch in
	arm64) qemu=qemu-aarch64 ;;
	armhf) qemu=qemu-arm ;;
	*) qemu=qemu-$arch ;;
	esac
	binary=build/$arch/sonde
	check "make ARCH=$arch" make -s SAN= "ARCH=$arch"
	check "$binary needs no interpreter and no library" is_static
	check "$binary is under $(limit_of "$arch") KiB" is_small
	check "$binary prints its help" "$qemu" "$binary" count --help
	check "$binary says that there is no BPF" says_no_bpf
	check "$binary emits a filter" "$qemu" "$binary" capture -d tcp port 80
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
