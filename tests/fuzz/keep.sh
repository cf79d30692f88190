#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes seeds of what a fuzzer has learnt: the smallest inputs of its corpus that reach code which
# the seeds in tests/data/NAME do not reach yet.
# usage: tests/fuzz/keep.sh BUILD-DIR NAME
set -u
dir=${1:?usage: tests/fuzz/keep.sh BUILD-DIR NAME} name=${2:?usage: tests/fuzz/keep.sh BUILD-DIR NAME}
seeds=tests/data/$name
[ -d "$seeds" ] || { echo "no directory $seeds"; exit 1; }
# Counters off: another number of rounds in a loop is not worth a file.
"$dir/fuzz_$name" -merge=1 -use_counters=0 -max_len=2048 "$seeds" "$dir/corpus/$name" \
	>"$dir/$name.keep.log" 2>&1 || { tail -5 "$dir/$name.keep.log"; exit 1; }
# libFuzzer names them by their hash: a part of it tells them apart as well.
for f in "$seeds"/????????????????????????????????????????; do
	[ -f "$f" ] || continue
	hash=${f##*/}
	mv "$f" "$seeds/found-$(printf %.8s "$hash")"
	echo "$seeds/found-$(printf %.8s "$hash")"
done
