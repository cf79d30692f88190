#!/bin/sh
# SPDX-License-Identifier: MIT
# Writes the table of the last run to tests/vm/RESULTS.md, if all machines ran and no test failed.
# usage: tests/vm/keep.sh
set -eu
here=$(dirname "$0")
out=build/vm/out

missing=$(awk '/^[^#]/ { print $1 }' "$here/matrix" | while read -r name; do
	[ -e "$out/$name.end" ] || echo "$name"
done)
[ -z "$missing" ] || {
	echo "vm-results: some machines did not run: $(echo "$missing" | tr '\n' ' ')(run make check-vm)" >&2
	exit 1
}
tail -n 1 "$out/table.txt" | grep -q ' 0 failed' && [ -s "$out/table.md" ] || {
	echo 'vm-results: the last run had failures (run make check-vm)' >&2
	exit 1
}
{
	echo '# Results on other kernels'
	echo
	echo 'The last run of `make check-vm` on all machines of `matrix`. A cell has the number of tests that'
	echo 'passed. Each machine boots a Debian kernel with an initramfs that holds only sonde and its tests.'
	echo
	cat "$out/table.md"
} >"$here/RESULTS.md"
