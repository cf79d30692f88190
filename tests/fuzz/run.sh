#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs each fuzzer for some seconds from its seeds, one for each CPU at a time. New inputs go to a corpus
# in the build directory (keep.sh makes seeds of them).
# usage: tests/fuzz/run.sh BUILD-DIR SECONDS NAME...
set -u
dir=$1 seconds=$2
shift 2
trap 'exit 130' INT
trap 'exit 143' TERM

# Prints the directory of NAME's seeds. Seeds with sources are compiled to the build directory.
print_seed_dir() {
	if ls "tests/data/$1"/*.c >/dev/null 2>&1; then
		echo "$dir/seeds/$1"
	else
		echo "tests/data/$1"
	fi
}

# Prints the error in NAME's log, and the commands that repeat it.
print_crash() {
	grep -qE 'assertion failed|ERROR:|runtime error:' "$dir/$1.log" &&
		sed -nE '/assertion failed|ERROR:|runtime error:/,$p' "$dir/$1.log" | head -25 ||
		tail -25 "$dir/$1.log"
	unit=$(sed -n 's/.*Test unit written to //p' "$dir/$1.log" | tail -1)
	if [ "$unit" ]; then
		echo "  input:    $unit"
		echo "  repeat:   $dir/fuzz_$1 $unit"
		echo "  minimize: $dir/fuzz_$1 -minimize_crash=1 -runs=100000 $unit"
	fi
}

run_fuzzer() {
	seeds=$(print_seed_dir "$1")
	count=$(find "$seeds" -type f 2>/dev/null | wc -l)
	if [ "$count" = 0 ]; then
		echo "FAIL fuzz_$1: no seeds in $seeds"
		return
	fi
	mkdir -p "$dir/corpus/$1"
	if "$dir/fuzz_$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="$dir/$1-" "$dir/corpus/$1" "$seeds" >"$dir/$1.log" 2>&1; then
		runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$dir/$1.log")
		edges=$(sed -nE 's/.* cov: ([0-9]+).*/\1/p' "$dir/$1.log" | tail -1)
		echo "ok fuzz_$1: $runs runs from $count seeds, $edges edges"
	else
		echo "FAIL fuzz_$1:"
		print_crash "$1"
	fi
}

# All take the same time, so each batch ends at once.
room=$(nproc)
for name in "$@"; do
	run_fuzzer "$name" >"$dir/$name.verdict" &
	room=$((room - 1))
	[ "$room" -gt 0 ] && continue
	wait
	room=$(nproc)
done
wait

passed=0 failed=0
for name in "$@"; do
	cat "$dir/$name.verdict"
	if grep -q '^ok ' "$dir/$name.verdict"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
