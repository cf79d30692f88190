#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs the packages that a goal needs and this host has not, by the names that its distribution
# has for them; without root, prints the command to type. A host without apt is left as it is: the
# build says what it misses.
# usage: gen/deps.sh PACKAGE...
# In a package's name %N is the compiler's version, %S that of the style's tools ($CLANG_STYLE), %G
# libgcc's; one with a ? behind it may be missing from the distribution. $CLANG_HERE is the version
# of the compiler that will be used, empty if there is none yet; $CLANG_TOLD is the name that was
# asked for, if any; $CLANG_NEWEST and $CLANG_OLDEST are the versions that may be chosen.
set -u
command -v apt-get >/dev/null || exit 0

installed() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }
is_known() { [ -n "$(apt-cache show --no-all-versions "$1" 2>/dev/null | head -n 1)" ]; }

# The one that is asked for; else the distribution's own choice, if that was proven; else the newest
# that was and that it has.
find_clang()
{
	case ${CLANG_TOLD-} in
	clang-[0-9]*) echo "${CLANG_TOLD#clang-}" && return ;;
	esac
	default=$(apt-cache depends clang 2>/dev/null | sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p' | head -n 1)
	for n in $default $(seq "$CLANG_NEWEST" -1 "$CLANG_OLDEST"); do
		[ "$n" -le "$CLANG_NEWEST" ] && [ "$n" -ge "$CLANG_OLDEST" ] && is_known "clang-$n" &&
			echo "$n" && return
	done
	echo "$CLANG_NEWEST"
}
find_libgcc()
{
	apt-cache depends gcc 2>/dev/null | sed -n 's/.*Depends: gcc-\([0-9]*\)$/\1/p' | head -n 1
}

# Names as they are here, of what is not installed.
missing()
{
	for name in "$@"; do
		package=${name%\?}
		case $package in
		clang-%N | lld-%N | llvm-%N) [ -z "$CLANG_HERE" ] || continue ;;
		libgcc-%G-dev) [ -z "$(ls /usr/lib/gcc/*/*/libgcc.a 2>/dev/null)" ] || continue ;;
		esac
		case $package in
		*%N*) package=${package%%%N*}${CLANG_HERE:-$(find_clang)}${package#*%N} ;;
		*%S*) package=${package%%%S*}$CLANG_STYLE${package#*%S} ;;
		*%G*) package=${package%%%G*}$(find_libgcc)${package#*%G} ;;
		esac
		installed "$package" && continue
		[ "$name" = "${name%\?}" ] || is_known "$package" || continue
		echo "$package"
	done
}

names=$(missing "$@")
[ -n "$names" ] || exit 0
if [ "$(id -u)" != 0 ]; then
	echo "missing packages; type: sudo apt-get install" $names >&2
	exit 1
fi
# Another package manager may hold the locks, and a server may be in the middle of its update. A list
# that cannot be had need not matter. A host without lists knows no names before it has them.
export DEBIAN_FRONTEND=noninteractive
apt() { apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@"; }
for pause in 5 10 20 40 0; do
	apt update
	names=$(missing "$@")
	# shellcheck disable=SC2086
	[ -z "$names" ] || apt install -y --no-install-recommends $names && exit 0
	[ $pause = 0 ] || echo "deps: not all packages could be had; again in $pause s" >&2
	sleep $pause
done
exit 1
