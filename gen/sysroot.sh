#!/bin/sh
# SPDX-License-Identifier: MIT
# The C library, libgcc and kernel headers of another architecture, unpacked below a directory for
# cross building: sysroot.sh ARCH DIR [SUITES [PACKAGE...]], with more packages beside them. Of the
# suites (a word each) the first that has them serves: a server may have lists and packages of one
# that do not fit each other. $STRIP: llvm-strip.
set -eu
me=sysroot
. "$(dirname "$0")/debian.sh"

[ $# -ge 2 ] || die "usage: sysroot.sh ARCH DIR [SUITES [PACKAGE...]]"
arch=$(debian_arch "$1") dir=$2 suites=${3-}
shift 2
[ $# -eq 0 ] || shift

# Complete is complete, without a network; the time stamp is what make looks at, the words are the
# packages beside.
if [ -e "$dir/.ready" ] && [ "$(cat "$dir/.ready")" = "$*" ]; then
	touch "$dir/.ready"
	exit 0
fi

name=$(basename "$dir")
parent=$(dirname "$dir")
{ mkdir -p "$parent" && cd "$parent"; } 2>/dev/null || die "$parent: cannot be made or entered"
new=$PWD/$name.new
trap 'rm -rf "$PWD/$name.apt" "$new"' EXIT
trap 'exit 1' HUP INT TERM

# From the suite $1 (empty: the host's) with packages $2... beside. In a shell of its own, for it dies.
get() (
	rm -rf "$new"
	mkdir -p "$new"
	debian_open "$PWD/$name.apt" "$arch" "$1"
	shift
	libgcc=$(apt-cache pkgnames libgcc- | grep '^libgcc-[0-9]*-dev$' | sort -t- -k2,2n | tail -n 1)
	[ -n "$libgcc" ] || die "no package libgcc-N-dev of $arch: $(debian_why)"
	debian_unpack "$new" musl-dev "$libgcc" linux-libc-dev "$@" ||
		die "packages of $arch cannot be had: $(debian_why)"
)
got=''
for suite in ${suites:-''}; do
	! get "$suite" "$@" || { got=1 && break; }
done
[ "$got" ] || exit 1
# Newer compilers' debugging data has relocations that lld 14 does not know, and nobody needs it.
find "$new" -name '*.[ao]' -exec "$STRIP" -g {} +

echo "$*" >"$new/.ready"
rm -rf "$name"
mv "$new" "$name"
