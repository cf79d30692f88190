# SPDX-License-Identifier: MIT
# For scripts that check: each writes what breaks it to $work/found, then asks for the verdict.
passed=0 failed=0 skipped=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# verdict NAME: a rule holds if nothing was written to $work/found.
verdict() {
	if [ -s "$work/found" ]; then
		echo "FAIL $1:"
		sed 's/^/  /' "$work/found" | head -20
		failed=$((failed + 1))
	else
		echo "ok $1"
		passed=$((passed + 1))
	fi
}
skip() {
	echo "skip $1: $2"
	skipped=$((skipped + 1))
}
# The counting line, and whether all of them held.
summary() {
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ]
}
