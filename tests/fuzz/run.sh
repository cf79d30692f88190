#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs each fuzzer for a while, from the seeds of its name; the corpus grows below the build.
# usage: tests/fuzz/run.sh BUILD-DIR SECONDS NAME...
set -u
dir=$1 seconds=$2
shift 2
passed=0 failed=0
for name in "$@"; do
	mkdir -p "$dir/corpus/$name"
	seeds=
	for d in "tests/data/$name" "$dir/seeds/$name"; do
		[ -d "$d" ] && seeds="$seeds $d"
	done
	# shellcheck disable=SC2086
	if "$dir/fuzz_$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="$dir/$name-" "$dir/corpus/$name" $seeds >"$dir/$name.log" 2>&1; then
		echo "ok fuzz_$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$dir/$name.log") runs"
		passed=$((passed + 1))
	else
		echo "FAIL fuzz_$name:"
		tail -30 "$dir/$name.log"
		failed=$((failed + 1))
	fi
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
