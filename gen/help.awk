# SPDX-License-Identifier: MIT
# The goals of Makefiles, by what stands behind "##" in the line of each; "##@" begins a group.
/^##@ / {
	heading = substr($0, 5)
	next
}
/^[a-z][a-z-]*:.* ## / {
	goal = $0
	sub(/:.*/, "", goal)
	words = $0
	sub(/.* ## /, "", words)
	if (heading != "") {
		groups[++n] = heading
		heading = ""
	}
	if (!n)
		groups[++n] = "The build"
	lines[n] = lines[n] sprintf("  %-16s %s\n", goal, words)
}
END {
	print "usage: make GOAL [NAME=VALUE...]"
	for (i = 1; i <= n; i++)
		printf "\n%s\n%s", groups[i], lines[i]
	print "\nV=1 shows the commands and the compiler; SAN=1 builds with ASan and UBSan in build/san;"
	print "CLANG=clang-N chooses the compiler; T=NAME runs the tests with NAME in theirs."
}
