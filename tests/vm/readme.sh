#!/bin/sh
# SPDX-License-Identifier: MIT
# Puts the table of the last run into the README, between its two marks; only of a run of all machines.
# usage: tests/vm/readme.sh
set -eu
here=$(dirname "$0")
table=build/vm/out/table.md

missing=$(awk '/^[^#]/ { print $1 }' "$here/matrix" | while read -r name; do
	[ -e "build/vm/out/$name.end" ] || echo "$name"
done)
[ -z "$missing" ] || {
	echo "readme-vm: the last run was without $(echo "$missing" | tr '\n' ' '): make check-vm" >&2
	exit 1
}
tail -n 1 build/vm/out/table.txt | grep -q ' 0 failed' && [ -s "$table" ] || {
	echo 'readme-vm: the last run did not end well: make check-vm' >&2
	exit 1
}
awk -v table="$table" '
/^<!-- check-vm: end -->/ { skip = 0 }
!skip { print }
/^<!-- check-vm: begin/ {
	skip = 1
	while ((getline line < table) > 0)
		print line
}' README.md >README.md.new
mv README.md.new README.md
