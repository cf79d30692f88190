#!/bin/sh
# SPDX-License-Identifier: MIT
# Sums up the results of machines: summary.sh OUT-DIR MACHINES (lines of the matrix). Prints the table
# and writes it to OUT-DIR/table.txt and, with doctor's results for RESULTS.md, to OUT-DIR/table.md.
set -eu
here=$(dirname "$0")
out=$1
ends=''
: >"$out/results"
awk -v release=head -f "$here/doctor.awk" </dev/null >"$out/doctor.md"
for name in $(echo "$2" | awk '{ print $1 }'); do
	[ -e "$out/$name.end" ] || printf '%s\t?\t?\tall\tFAIL: not run\n' "$name" >"$out/$name.end"
	[ -e "$out/$name.log" ] || : >"$out/$name.log"
	IFS='	' read -r name arch release plan end <"$out/$name.end"
	awk -v machine="$name" -v arch="$arch" -v release="$release" -v plan="$plan" -v end="$end" \
		-f "$here/results.awk" "$out/scenarios" "$here/require" "$here/$plan.plan" \
		"$out/$name.log" >>"$out/results"
	started=$(sed -n 's/^# started: //p' "$here/$plan.plan")
	sed "s|\$|\t$started|" "$out/$name.end" >"$out/$name.row"
	ends="$ends $out/$name.row"
	case $plan in
	all | lockdown)
		awk -v release="$release $arch$([ "$plan" = all ] || echo ", $plan")" \
			-f "$here/doctor.awk" "$out/$name.log" >>"$out/doctor.md"
		;;
	esac
done
n=$(echo "$2" | wc -l)
# shellcheck disable=SC2086
awk -v nends="$n" -f "$here/table.awk" $ends "$out/results" | tee "$out/table.txt"
{
	# shellcheck disable=SC2086
	awk -v nends="$n" -v markdown=1 -f "$here/table.awk" $ends "$out/results"
	printf '\nThe hooks and features that `sonde doctor` found on each kernel, by trying them:\n\n'
	cat "$out/doctor.md"
} >"$out/table.md"
tail -n 1 "$out/table.txt" | grep -q ' 0 failed'
