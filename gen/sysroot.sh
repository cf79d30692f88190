#!/bin/sh
# SPDX-License-Identifier: MIT
# Unpacks the C library, libgcc and kernel headers of another architecture below a directory, for cross
# builds: sysroot.sh ARCH DIR [SUITES [PACKAGE...]]. PACKAGE adds more packages. The suites are tried
# in order, since a mirror's lists and packages of one suite may not match. $STRIP is llvm-strip.
set -eu
script=sysroot
. "$(dirname "$0")/debian.sh"

[ $# -ge 2 ] || die "Usage: sysroot.sh ARCH DIR [SUITES [PACKAGE...]]"
arch=$(debian_arch_name "$1") dir=$2 suites=${3-}
shift 2
[ $# -eq 0 ] || shift

# Nothing to do if the sysroot is complete with the same extra packages, which .ready lists. make
# compares its time stamp.
if [ -e "$dir/.ready" ] && [ "$(cat "$dir/.ready")" = "$*" ]; then
	touch "$dir/.ready"
	exit 0
fi

name=$(basename "$dir")
parent=$(dirname "$dir")
{ mkdir -p "$parent" && cd "$parent"; } 2>/dev/null || die "cannot create or enter $parent"
new=$PWD/$name.new
trap 'rm -rf "$PWD/$name.apt" "$new"' EXIT
trap 'exit 1' HUP INT TERM

# Unpacks the packages of suite $1 (empty: the host's) and the extra packages $2... Runs in a subshell,
# since it exits on errors.
unpack_suite() (
	rm -rf "$new"
	mkdir -p "$new"
	debian_open "$PWD/$name.apt" "$arch" "$1"
	shift
	libgcc=$(apt-cache pkgnames libgcc- | grep '^libgcc-[0-9]*-dev$' | sort -t- -k2,2n | tail -n 1)
	[ -n "$libgcc" ] || die "no package libgcc-N-dev for $arch: $(debian_print_error)"
	debian_unpack "$new" musl-dev "$libgcc" linux-libc-dev "$@" ||
		die "cannot download packages for $arch: $(debian_print_error)"
)
unpacked=''
for suite in ${suites:-''}; do
	! unpack_suite "$suite" "$@" || { unpacked=1 && break; }
done
[ "$unpacked" ] || exit 1
# Strip debugging data: newer compilers write relocations in it that lld 14 does not support.
find "$new" -name '*.[ao]' -exec "$STRIP" -g {} +

echo "$*" >"$new/.ready"
rm -rf "$name"
mv "$new" "$name"
