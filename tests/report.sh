# SPDX-License-Identifier: MIT
# Sourced by test scripts. A test writes its problems to $work/problems, then calls report_result.
passed=0 failed=0 skipped=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# report_result NAME: the test passed if $work/problems is empty.
report_result() {
	if [ -s "$work/problems" ]; then
		echo "FAIL $1:"
		sed 's/^/  /' "$work/problems" | head -20
		failed=$((failed + 1))
	else
		echo "ok $1"
		passed=$((passed + 1))
	fi
}
# report_skip NAME REASON
report_skip() {
	echo "skip $1: $2"
	skipped=$((skipped + 1))
}
# Prints the sums, which tests/all.sh adds up. Fails if a test failed.
print_summary() {
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ]
}
