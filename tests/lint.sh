#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs clang-tidy on the sources, in parallel. .clang-tidy lists the checks. Versions find different
# things, so $CLANG_TIDY is version $STYLE_VERSION; it is empty if that is not installed.
# usage: tests/lint.sh FLAG...
set -u
. "$(dirname "$0")/report.sh"

if [ -z "$CLANG_TIDY" ]; then
	report_skip 'clang-tidy' "version $STYLE_VERSION is not installed"
else
	find src gen -name '*.c' | LC_ALL=C sort |
		xargs -P "$(nproc)" -n 8 sh -c 'tool=$1 flags=$2; shift 2; exec "$tool" --quiet "$@" -- $flags' \
			lint "$CLANG_TIDY" "$*" 2>"$work/log" >"$work/problems" || cat "$work/log" >>"$work/problems"
	report_result "clang-tidy ($STYLE_VERSION) finds nothing"
fi
print_summary
