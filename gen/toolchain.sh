#!/bin/sh
# SPDX-License-Identifier: MIT
# Finds the compiler and the other tools and files that a build for this host needs, for the Makefile.
# Prints words NAME=VALUE, and missing=NAME for each missing one. Searches several directories for
# musl and the kernel's headers, since distributions differ.
# usage: gen/toolchain.sh NEWEST OLDEST CPU ABI [CLANG]
#        gen/toolchain.sh -t TOOL MAJOR: prints the path of that version of an LLVM tool, if installed
set -u

print_major()
{
	"$1" --version 2>/dev/null | sed -n 's/.*version \([0-9][0-9]*\)\..*/\1/p' | head -n 1
}

if [ "$1" = -t ]; then
	for name in "$2-$3" "$2"; do
		path=$(command -v "$name") && [ "$(print_major "$path")" = "$3" ] && echo "$path" && break
	done
	exit 0
fi
newest=$1 oldest=$2 cpu=$3 abi=$4 given=${5-}
gnu=$cpu-linux-gnu$abi musl=$cpu-linux-musl$abi

list_candidates()
{
	if [ -n "$given" ]; then
		echo "$given"
		return
	fi
	n=$newest
	while [ "$n" -ge "$oldest" ]; do
		echo "clang-$n"
		n=$((n - 1))
	done
	echo clang
}

# Finds the tools of compiler $1: beside it, else in PATH. Sets $tools and $missing.
find_tools()
{
	tools='' missing=''
	for tool in ld.lld llvm-strip llvm-readelf; do
		path=$("$1" -print-prog-name=$tool)
		case $path in
		/*) tools="$tools ${tool##*[-.]}=$path" ;;
		*) missing="$missing missing=$tool" ;;
		esac
	done
}

# Takes the first compiler of a tested version that has its tools; else the first that is installed.
clang='' major=''
for name in $(list_candidates); do
	path=$(command -v "$name") || continue
	version=$(print_major "$path")
	[ -n "$version" ] || continue
	find_tools "$path"
	if [ -z "$clang" ]; then
		clang=$name major=$version clang_tools=$tools clang_missing=$missing
	fi
	[ -z "$missing" ] && [ "$version" -le "$newest" ] && [ "$version" -ge "$oldest" ] || continue
	clang=$name major=$version clang_tools=$tools clang_missing=''
	break
done
if [ -n "$clang" ]; then
	echo "clang=$clang major=$major$clang_tools$clang_missing"
	libgcc=$("$clang" -print-libgcc-file-name)
	[ -e "$libgcc" ] && echo "libgcc=$libgcc" || echo missing=libgcc.a
else
	echo "missing=${given:-clang}"
fi

# Prints the first of the directories $2... that has the file $1.
find_dir()
{
	file=$1
	shift
	for dir in "$@"; do
		[ -e "$dir/$file" ] && echo "$dir" && return
	done
	return 1
}
# musl's directories in Debian, Fedora and Arch; then the default ones, for hosts that use musl.
lib=$(find_dir rcrt1.o "/usr/lib/$musl" "/usr/$musl/lib64" "/usr/$musl/lib" /usr/lib/musl/lib /usr/lib /lib)
case $lib in
'') include='' ;;
"/usr/lib/$musl") include=/usr/include/$musl ;;
/usr/lib | /lib)
	include=/usr/include
	[ -n "$(ls /lib/ld-musl-* 2>/dev/null)" ] || lib=''
	;;
*) include=$(dirname "$lib")/include ;;
esac
[ -n "$lib" ] && [ -e "$lib/libc.a" ] && echo "musl_lib=$lib" || echo missing=musl/libc.a
[ -n "$include" ] && [ -e "$include/stdio.h" ] && echo "musl_include=$include" || echo missing=musl/stdio.h
for header in stdio.h linux/bpf.h asm/unistd.h lz4hc.h; do
	find_dir $header /usr/local/include /usr/include "/usr/include/$gnu" >/dev/null ||
		echo "missing=$header"
done
