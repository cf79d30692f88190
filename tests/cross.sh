#!/bin/sh
# SPDX-License-Identifier: MIT
# The cross-built binary: static, and it starts under user-mode emulation (which has no bpf(2), so
# that is as far as it goes without a kernel of that architecture).
# usage: tests/cross.sh ARCH QEMU
set -u
unset MAKEFLAGS MAKELEVEL MFLAGS
arch=$1 qemu=$2
binary=build/$arch/sonde
passed=0 failed=0

check() {
	name=$1
	shift
	if "$@" >/dev/null 2>&1; then
		echo "ok $name"
		passed=$((passed + 1))
	else
		echo "FAIL $name"
		failed=$((failed + 1))
	fi
}
is_static() {
	! llvm-readelf-14 -ld "$binary" | grep -qE 'INTERP|NEEDED'
}
says_no_bpf() {
	"$qemu" "$binary" count -i lo 2>&1 | grep -qE 'no bpf\(2\)|CAP_'
}

check "make ARCH=$arch" make -s "ARCH=$arch"
check "$binary needs no interpreter and no library" is_static
check "$binary prints its help" "$qemu" "$binary" count --help
check "$binary says that there is no BPF" says_no_bpf
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
