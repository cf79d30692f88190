#!/bin/sh
# SPDX-License-Identifier: MIT
# Finds the compiler and what a build for this host needs beside it, for the Makefile: words of the
# form NAME=VALUE, and missing=WHAT for what is not here. Distributions keep the C library musl and
# the kernel's headers in different places: they are looked for, not assumed.
# usage: gen/toolchain.sh NEWEST OLDEST CPU ABI [CLANG]
#        gen/toolchain.sh -t TOOL MAJOR: the path of that version of an LLVM tool, if it is here
set -u

major_of()
{
	"$1" --version 2>/dev/null | sed -n 's/.*version \([0-9][0-9]*\)\..*/\1/p' | head -n 1
}

if [ "$1" = -t ]; then
	for name in "$2-$3" "$2"; do
		path=$(command -v "$name") && [ "$(major_of "$path")" = "$3" ] && echo "$path" && break
	done
	exit 0
fi
newest=$1 oldest=$2 cpu=$3 abi=$4 told=${5-}
gnu=$cpu-linux-gnu$abi musl=$cpu-linux-musl$abi

candidates()
{
	if [ -n "$told" ]; then
		echo "$told"
		return
	fi
	n=$newest
	while [ "$n" -ge "$oldest" ]; do
		echo "clang-$n"
		n=$((n - 1))
	done
	echo clang
}

# The compiler's own tools: those beside it, else those in PATH. Sets $tools, $lacks.
find_tools()
{
	tools='' lacks=''
	for tool in ld.lld llvm-strip llvm-readelf; do
		path=$("$1" -print-prog-name=$tool)
		case $path in
		/*) tools="$tools ${tool##*[-.]}=$path" ;;
		*) lacks="$lacks missing=$tool" ;;
		esac
	done
}

# The first that was proven and has its tools; else the first that is here.
clang='' major=''
for name in $(candidates); do
	path=$(command -v "$name") || continue
	version=$(major_of "$path")
	[ -n "$version" ] || continue
	find_tools "$path"
	if [ -z "$clang" ]; then
		clang=$name major=$version its_tools=$tools its_lacks=$lacks
	fi
	[ -z "$lacks" ] && [ "$version" -le "$newest" ] && [ "$version" -ge "$oldest" ] || continue
	clang=$name major=$version its_tools=$tools its_lacks=''
	break
done
if [ -n "$clang" ]; then
	echo "clang=$clang major=$major$its_tools$its_lacks"
	libgcc=$("$clang" -print-libgcc-file-name)
	[ -e "$libgcc" ] && echo "libgcc=$libgcc" || echo missing=libgcc.a
else
	echo "missing=${told:-clang}"
fi

# The first of the directories $2... that has the file $1.
dir_with()
{
	file=$1
	shift
	for dir in "$@"; do
		[ -e "$dir/$file" ] && echo "$dir" && return
	done
	return 1
}
# musl: Debian's place, Fedora's, Arch's; a host of musl has it where others have their own.
lib=$(dir_with rcrt1.o "/usr/lib/$musl" "/usr/$musl/lib64" "/usr/$musl/lib" /usr/lib/musl/lib /usr/lib /lib)
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
	dir_with $header /usr/local/include /usr/include "/usr/include/$gnu" >/dev/null ||
		echo "missing=$header"
done
