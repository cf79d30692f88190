#!/bin/sh
# SPDX-License-Identifier: MIT
# Checks the rules for sources: layers, sizes, licence lines, format. $CLANG_FORMAT is version
# $STYLE_VERSION of clang-format; it is empty if that is not installed.
# usage: tests/rules.sh
set -u
. "$(dirname "$0")/report.sh"
list_sources() { find src bpf gen tests -name '*.[ch]' | LC_ALL=C sort; }

# Lines "LAYER: LAYER...": the layers that each layer may include, and itself.
layers=$(sed -n 's/^\([a-z]*\): */\1: \1 /p' src/layers)

for layer in src/*/; do
	layer=$(basename "$layer")
	echo "$layers" | grep -q "^$layer: " || echo "src/$layer is not in src/layers"
done >"$work/problems"
report_result 'every directory below src is a layer'

echo "$layers" | while IFS=: read -r layer may; do
	[ -d "src/$layer" ] || continue
	grep -rn '^#include "' "src/$layer" --include='*.[ch]' | while IFS= read -r line; do
		to=${line#*\"} to=${to%%/*}
		case " $may " in
		*" $to "*) ;;
		*) echo "$line" ;;
		esac
	done
done >"$work/problems"
report_result 'layers include only the layers that src/layers allows'

# The table leaves out bpf and gen, which are not layers.
sed -n 's/^\([a-z]*\): */\1: /p' src/layers | sed -E 's/ (bpf|gen)\b//g; s/ *$//' >"$work/layers"
sed -nE 's/^\| `([a-z]+)` \| [^|]* \| ?([a-z ]*)\|$/\1: \2/p' src/README.md | sed 's/ *$//' |
	diff "$work/layers" - >"$work/problems"
report_result 'src/README.md lists the same layers'

grep -rn '^#include "cmd/' src/cmd --include='*.[ch]' | grep -v '"cmd/common/' |
	sed 's|^src/cmd/\([a-z]*\)[/.]|\1 &|' |
	while read -r own line; do
		case $line in *"\"cmd/$own/"*) ;; *) echo "$line" ;; esac
	done >"$work/problems"
report_result 'commands do not include each other'

grep -rn '"bpf/lib/' src >"$work/problems"
report_result 'user code does not include bpf/lib'

grep -rnE 'syscall\((__NR|SYS)_bpf|AF_NETLINK' src --include='*.[ch]' | grep -v '^src/sys/' >"$work/problems"
report_result 'only sys makes bpf and netlink system calls'

grep -nE '\b(printf|puts|fputs|perror|exit|_exit|abort)\(|stderr|STDERR_FILENO' \
	$(find src/base src/sys src/net src/out src/filter -name '*.c') |
	grep -vE '^src/base/(err|opt|help)\.c:|(sn|vsn|buf_)printf|^[^:]*:[0-9]*:\s*/?\*' >"$work/problems"
report_result 'lower layers print nothing and never exit'

list_sources | while read -r f; do
	head -1 "$f" | grep -q 'SPDX-License-Identifier: MIT' || echo "$f: no SPDX line"
	[ "$(wc -l <"$f")" -le 800 ] || echo "$f: more than 800 lines"
	expand "$f" | awk -v f="$f" 'length($0) > 100 { print f ":" NR ": over 100 columns" }'
done >"$work/problems"
report_result 'files have a licence line, at most 800 lines and 100 columns'

# A function starts with a line "{" and ends with a line "}", both in the first column.
list_sources | while read -r f; do
	awk -v f="$f" '/^{/ { at = NR } /^}/ { if (at && NR - at > 61) print f ":" at ": " NR - at " lines"; at = 0 }' "$f"
done >"$work/problems"
report_result 'functions have at most 60 lines'

grep -L '^LICENSE("Dual MIT/GPL");' bpf/*.bpf.c >"$work/problems"
report_result 'kernel programs declare their licence'

if [ "$CLANG_FORMAT" ]; then
	list_sources | xargs "$CLANG_FORMAT" --dry-run 2>&1 | grep warning >"$work/problems"
	report_result "files are formatted by clang-format $STYLE_VERSION"
else
	report_skip "files are formatted by clang-format $STYLE_VERSION" 'it is not installed'
fi

print_summary
