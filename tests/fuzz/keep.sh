#!/bin/sh
# SPDX-License-Identifier: MIT
# Adds the smallest inputs of a fuzzer's corpus that reach code which the seeds in tests/data/NAME do
# not reach.
# usage: tests/fuzz/keep.sh BUILD-DIR NAME
set -u
dir=${1:?usage: tests/fuzz/keep.sh BUILD-DIR NAME} name=${2:?usage: tests/fuzz/keep.sh BUILD-DIR NAME}
seeds=tests/data/$name
[ -d "$seeds" ] || { echo "keep.sh: there is no directory $seeds"; exit 1; }
# Without counters, since another number of iterations of a loop is not worth a seed.
"$dir/fuzz_$name" -merge=1 -use_counters=0 -max_len=2048 "$seeds" "$dir/corpus/$name" \
	>"$dir/$name.keep.log" 2>&1 || { tail -5 "$dir/$name.keep.log"; exit 1; }
# libFuzzer names files by their SHA-1. A part of it is enough.
for f in "$seeds"/????????????????????????????????????????; do
	[ -f "$f" ] || continue
	hash=${f##*/}
	mv "$f" "$seeds/found-$(printf %.8s "$hash")"
	echo "$seeds/found-$(printf %.8s "$hash")"
done
