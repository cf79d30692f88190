#!/bin/sh
# SPDX-License-Identifier: MIT
# The rules of the house, enforced by reading the sources and the product: layers, sizes, licence
# lines, format, a static binary, the same bytes twice, rebuilds of just what changed.
# usage: tests/rules.sh BINARY
set -u
unset MAKEFLAGS MAKELEVEL MFLAGS # the copies are built on their own
binary=${1:?usage: tests/rules.sh BINARY}
passed=0 failed=0 skipped=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# verdict NAME: a rule holds if nothing was written to $work/found.
verdict() {
	if [ -s "$work/found" ]; then
		echo "FAIL $1:"
		sed 's/^/  /' "$work/found" | head -20
		failed=$((failed + 1))
	else
		echo "ok $1"
		passed=$((passed + 1))
	fi
}
skip() {
	echo "skip $1: $2"
	skipped=$((skipped + 1))
}
sources() { find src bpf gen tests -name '*.[ch]' | LC_ALL=C sort; }

# What each layer may include, itself first. gen/ stands for the generated headers.
layers='base: base
sys: sys base
net: net base
filter: filter base net bpf
out: out base net
obj: obj filter sys base
host: host filter sys base
gate: gate obj sys net base bpf gen
lab: lab sys base
tap: tap gate filter obj net sys base bpf gen
cmd: cmd tap gate lab host obj out filter net sys base bpf gen'

for layer in src/*/; do
	layer=$(basename "$layer")
	echo "$layers" | grep -q "^$layer: " || echo "src/$layer is no layer of tests/rules.sh"
done >"$work/found"
verdict 'every directory below src is a layer'

echo "$layers" | while IFS=: read -r layer may; do
	[ -d "src/$layer" ] || continue
	grep -n '^#include "' "src/$layer"/*.[ch] | while IFS= read -r line; do
		to=${line#*\"} to=${to%%/*}
		case " $may " in
		*" $to "*) ;;
		*) echo "$line" ;;
		esac
	done
done >"$work/found"
verdict 'layers include only what lies below them'

for f in src/cmd/*.c; do
	own=$(basename "$f" .c)
	grep -n '^#include "cmd/' "$f" | grep -v -e '"cmd/cmd.h"' -e "\"cmd/${own%%_*}" |
		sed "s|^|$f:|"
done >"$work/found"
verdict 'commands do not include each other'

grep -rn '"bpf/lib/' src >"$work/found"
verdict 'user code does not include the kernel side'

grep -rnE 'syscall\((__NR|SYS)_bpf|AF_NETLINK' src --include='*.[ch]' | grep -v '^src/sys/' >"$work/found"
verdict 'only sys makes bpf and netlink calls'

grep -nE '\b(printf|puts|fputs|perror|exit|_exit|abort)\(|stderr|STDERR_FILENO' \
	src/base/*.c src/sys/*.c src/net/*.c src/out/*.c src/filter/*.c 2>/dev/null |
	grep -vE '^src/base/(err|opt|help)\.c:|(sn|vsn|buf_)printf|^[^:]*:[0-9]*:\s*/?\*' >"$work/found"
verdict 'lower layers print nothing and never exit'

sources | while read -r f; do
	head -1 "$f" | grep -q 'SPDX-License-Identifier: MIT' || echo "$f: no SPDX line"
	[ "$(wc -l <"$f")" -le 800 ] || echo "$f: more than 800 lines"
	expand "$f" | awk -v f="$f" 'length($0) > 100 { print f ":" NR ": over 100 columns" }'
done >"$work/found"
verdict 'licence lines, 800 lines a file, 100 columns'

# A function starts at a line "{" in the first column and ends at "}" there.
sources | while read -r f; do
	awk -v f="$f" '/^{/ { at = NR } /^}/ { if (at && NR - at > 61) print f ":" at ": " NR - at " lines"; at = 0 }' "$f"
done >"$work/found"
verdict 'functions of at most 60 lines'

grep -L '^LICENSE("Dual MIT/GPL");' bpf/*.bpf.c >"$work/found"
verdict 'kernel programs declare their licence'

if command -v clang-format-14 >/dev/null; then
	sources | xargs clang-format-14 --dry-run 2>&1 | grep warning >"$work/found"
	verdict 'format (clang-format-14)'
else
	skip 'format' 'clang-format-14 is not installed'
fi

if [ "${SAN:-}" ]; then
	skip 'a static binary' 'SAN=1 builds are dynamic'
else
	: >"$work/found"
	llvm-readelf-14 -l "$binary" | grep INTERP >>"$work/found"
	llvm-readelf-14 -d "$binary" | grep NEEDED >>"$work/found"
	llvm-readelf-14 -h "$binary" | grep -q 'Type: *DYN' || echo 'not position independent' >>"$work/found"
	[ "$(wc -c <"$binary")" -le 524288 ] || echo "$binary is over 512 KiB" >>"$work/found"
	verdict 'the binary is a static PIE without interpreter or needed library, under 512 KiB'
fi

# The same sources in another directory give the same bytes.
mkdir -p "$work/copy"
cp -R Makefile src bpf gen "$work/copy"
make -s -j"$(nproc)" -C "$work/copy" build/sonde SAN= >"$work/log" 2>&1 || cat "$work/log"
if [ "${SAN:-}" ]; then
	skip 'another directory, the same bytes' 'SAN=1 builds keep the names of their sources'
else
	cmp "$binary" "$work/copy/build/sonde" >"$work/found" 2>&1
	verdict 'another directory, the same bytes'
fi

# A contract's users, and nobody else, are rebuilt when it is touched; nothing is rebuilt otherwise.
(
	cd "$work/copy" || exit
	make -q build/sonde || echo 'a second make has something to do'
	users=$(grep -lE '(bpf/gate|gen/gate\.gen)\.h' $(find build -name '*.d') | sed 's/\.d$/.o/' | LC_ALL=C sort)
	sleep 0.01
	touch bpf/gate.h
	touch "$work/stamp"
	make -s build/sonde >/dev/null 2>&1
	rebuilt=$(find build -name '*.o' -newer "$work/stamp" | LC_ALL=C sort)
	[ "$users" = "$rebuilt" ] || printf 'users:\n%s\nrebuilt:\n%s\n' "$users" "$rebuilt"
) >"$work/found"
verdict 'touching a contract rebuilds exactly its users'

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
