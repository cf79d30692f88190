#!/bin/sh
# SPDX-License-Identifier: MIT
# clang-tidy on the sources, several at a time; .clang-tidy says what for. Other versions of it find
# other things: $CLANG_TIDY is the one that counts, empty if it is not here.
# usage: tests/lint.sh FLAG...
set -u
. "$(dirname "$0")/verdict.sh"

if [ -z "$CLANG_TIDY" ]; then
	skip 'clang-tidy' "version $STYLE, which counts, is not installed"
else
	find src gen -name '*.c' | LC_ALL=C sort |
		xargs -P "$(nproc)" -n 8 sh -c 'tool=$1 flags=$2; shift 2; exec "$tool" --quiet "$@" -- $flags' \
			lint "$CLANG_TIDY" "$*" 2>"$work/log" >"$work/found" || cat "$work/log" >>"$work/found"
	verdict "clang-tidy ($STYLE) finds nothing"
fi
summary
