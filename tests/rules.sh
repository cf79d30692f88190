#!/bin/sh
# SPDX-License-Identifier: MIT
# The rules of the house, enforced by reading the sources: layers, sizes, licence lines, format.
# usage: tests/rules.sh ($CLANG_FORMAT: the one that counts, of version $STYLE, or empty)
set -u
. "$(dirname "$0")/verdict.sh"
sources() { find src bpf gen tests -name '*.[ch]' | LC_ALL=C sort; }

# What each layer may include besides itself, out of the one list of layers.
layers=$(sed -n 's/^\([a-z]*\): */\1: \1 /p' src/layers)

for layer in src/*/; do
	layer=$(basename "$layer")
	echo "$layers" | grep -q "^$layer: " || echo "src/$layer is not in src/layers"
done >"$work/found"
verdict 'every directory below src is a layer'

echo "$layers" | while IFS=: read -r layer may; do
	[ -d "src/$layer" ] || continue
	grep -rn '^#include "' "src/$layer" --include='*.[ch]' | while IFS= read -r line; do
		to=${line#*\"} to=${to%%/*}
		case " $may " in
		*" $to "*) ;;
		*) echo "$line" ;;
		esac
	done
done >"$work/found"
verdict 'layers include only what lies below them'

grep -rn '^#include "cmd/' src/cmd --include='*.[ch]' | grep -v '"cmd/common/' |
	sed 's|^src/cmd/\([a-z]*\)[/.]|\1 &|' |
	while read -r own line; do
		case $line in *"\"cmd/$own/"*) ;; *) echo "$line" ;; esac
	done >"$work/found"
verdict 'commands do not include each other'

grep -rn '"bpf/lib/' src >"$work/found"
verdict 'user code does not include the kernel side'

grep -rnE 'syscall\((__NR|SYS)_bpf|AF_NETLINK' src --include='*.[ch]' | grep -v '^src/sys/' >"$work/found"
verdict 'only sys makes bpf and netlink calls'

grep -nE '\b(printf|puts|fputs|perror|exit|_exit|abort)\(|stderr|STDERR_FILENO' \
	$(find src/base src/sys src/net src/out src/filter -name '*.c') |
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
