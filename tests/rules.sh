#!/bin/sh
# SPDX-License-Identifier: MIT
# The rules of the house, enforced by reading the sources: layers, sizes, licence lines, format.
# usage: tests/rules.sh ($CLANG_FORMAT: the one that counts, of version $STYLE, or empty)
set -u
. "$(dirname "$0")/verdict.sh"
sources() { find src bpf gen tests -name '*.[ch]' | LC_ALL=C sort; }

# What each layer may include, itself first. gen/ stands for the generated headers.
layers='base: base
sys: sys base
net: net base
filter: filter base net bpf
out: out base net
obj: obj filter sys base bpf gen
host: host filter sys base
gate: gate filter obj sys net base bpf gen
lab: lab sys base
tap: tap gate filter obj net sys base bpf gen
trace: trace tap filter obj out net sys base bpf gen
probe: probe trace filter obj out sys base bpf gen
cmd: cmd probe trace tap gate lab host obj out filter net sys base bpf gen'

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
	grep -n '^#include "cmd/' "$f" | grep -v -e '"cmd/cmd' -e "\"cmd/${own%%_*}" |
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

if [ "$CLANG_FORMAT" ]; then
	sources | xargs "$CLANG_FORMAT" --dry-run 2>&1 | grep warning >"$work/found"
	verdict "format (clang-format $STYLE)"
else
	skip 'format' "clang-format $STYLE, whose format is the style's, is not installed"
fi

summary
