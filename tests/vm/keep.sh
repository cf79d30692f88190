#!/bin/sh
# SPDX-License-Identifier: MIT
# Keeps the table of the last run in tests/vm/RESULTS.md, if all machines ran and nothing failed.
# usage: tests/vm/keep.sh
set -eu
here=$(dirname "$0")
out=build/vm/out

missing=$(awk '/^[^#]/ { print $1 }' "$here/matrix" | while read -r name; do
	[ -e "$out/$name.end" ] || echo "$name"
done)
[ -z "$missing" ] || {
	echo "vm-results: machines that did not run: $(echo "$missing" | tr '\n' ' ')(make check-vm)" >&2
	exit 1
}
tail -n 1 "$out/table.txt" | grep -q ' 0 failed' && [ -s "$out/table.md" ] || {
	echo 'vm-results: the last run had failures: make check-vm' >&2
	exit 1
}
{
	echo '# Results on other kernels'
	echo
	echo 'The last run of `make check-vm` on all machines of `matrix`. A cell has the number of tests that'
	echo 'passed. Each machine boots a kernel of Debian with a root that holds sonde and its tests only.'
	echo
	cat "$out/table.md"
} >"$here/RESULTS.md"
