#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs all benchmarks, one after the other, and writes their output to tests/bench/RESULTS.md.
# usage: tests/bench/keep.sh GOAL...
set -eu
here=$(dirname "$0")
kept=build/bench-results.md
{
	echo '# Benchmark results'
	echo
	echo 'One run of each benchmark, in turn, on one machine (`make bench-results`). Compare numbers of'
	echo 'one run with each other, never with those of another machine.'
} >"$kept"
for goal in "$@"; do
	log=build/$goal.log
	echo "make $goal" >&2
	${MAKE:-make} -s "$goal" >"$log" 2>&1 || {
		echo "bench-results: $goal failed; see $log" >&2
		exit 1
	}
	{
		printf '\n## make %s\n\n```\n' "$goal"
		grep -v '^  [A-Z]* *build/' "$log" || :
		printf '```\n'
	} >>"$kept"
done
cp "$kept" "$here/RESULTS.md"
