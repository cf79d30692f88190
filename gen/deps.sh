#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs the packages that a goal needs and this host does not have. Without root, prints the
# command instead. Without apt, does nothing: the build reports the missing tools.
# usage: gen/deps.sh PACKAGE...
# In a package's name, %N is the compiler's version, %S the version of the style tools
# ($CLANG_STYLE), %G the version of libgcc. A package with a final ? is optional: it is skipped if the
# distribution does not have it.
# Environment: $CLANG_FOUND is the version of the compiler in use, empty if none is installed;
# $CLANG_GIVEN is the name that the user chose, or empty; $CLANG_NEWEST and $CLANG_OLDEST limit the
# versions to choose from.
set -u
command -v apt-get >/dev/null || exit 0

is_installed() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }
is_available() { [ -n "$(apt-cache show --no-all-versions "$1" 2>/dev/null | head -n 1)" ]; }

# Prints a compiler version: the user's choice; else the distribution's default, if it is within the
# tested versions; else the newest tested version that the distribution has.
find_clang()
{
	case ${CLANG_GIVEN-} in
	clang-[0-9]*) echo "${CLANG_GIVEN#clang-}" && return ;;
	esac
	default=$(apt-cache depends clang 2>/dev/null | sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p' | head -n 1)
	for n in $default $(seq "$CLANG_NEWEST" -1 "$CLANG_OLDEST"); do
		[ "$n" -le "$CLANG_NEWEST" ] && [ "$n" -ge "$CLANG_OLDEST" ] && is_available "clang-$n" &&
			echo "$n" && return
	done
	echo "$CLANG_NEWEST"
}
find_libgcc()
{
	apt-cache depends gcc 2>/dev/null | sed -n 's/.*Depends: gcc-\([0-9]*\)$/\1/p' | head -n 1
}

# Prints the distribution's names of those packages that are not installed.
list_missing()
{
	for name in "$@"; do
		package=${name%\?}
		case $package in
		clang-%N | lld-%N | llvm-%N) [ -z "$CLANG_FOUND" ] || continue ;;
		libgcc-%G-dev) [ -z "$(ls /usr/lib/gcc/*/*/libgcc.a 2>/dev/null)" ] || continue ;;
		esac
		case $package in
		*%N*) package=${package%%%N*}${CLANG_FOUND:-$(find_clang)}${package#*%N} ;;
		*%S*) package=${package%%%S*}$CLANG_STYLE${package#*%S} ;;
		*%G*) package=${package%%%G*}$(find_libgcc)${package#*%G} ;;
		esac
		is_installed "$package" && continue
		[ "$name" = "${name%\?}" ] || is_available "$package" || continue
		echo "$package"
	done
}

names=$(list_missing "$@")
[ -n "$names" ] || exit 0
if [ "$(id -u)" != 0 ]; then
	echo "Packages are missing. Run: sudo apt-get install" $names >&2
	exit 1
fi
# Retries, since another package manager may hold the locks and a mirror may be in the middle of an
# update. A failed update of the lists may not matter. Names are looked up again after each update,
# since a new host has no lists.
export DEBIAN_FRONTEND=noninteractive
run_apt() { apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@"; }
for pause in 5 10 20 40 0; do
	run_apt update
	names=$(list_missing "$@")
	# shellcheck disable=SC2086
	[ -z "$names" ] || run_apt install -y --no-install-recommends $names && exit 0
	[ $pause = 0 ] || echo "deps: not all packages could be installed; trying again in $pause s" >&2
	sleep $pause
done
exit 1
