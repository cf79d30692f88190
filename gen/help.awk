# SPDX-License-Identifier: MIT
# Lists the goals of Makefiles, with the text after "##" in the line of each. "##@" starts a group.
/^##@ / {
	heading = substr($0, 5)
	next
}
/^[a-z][a-z-]*:.* ## / {
	goal = $0
	sub(/:.*/, "", goal)
	text = $0
	sub(/.* ## /, "", text)
	if (heading != "") {
		groups[++n] = heading
		heading = ""
	}
	if (!n)
		groups[++n] = "The build"
	lines[n] = lines[n] sprintf("  %-16s %s\n", goal, text)
}
END {
	print "Usage: make GOAL [NAME=VALUE...]"
	for (i = 1; i <= n; i++)
		printf "\n%s\n%s", groups[i], lines[i]
	print "\nVariables"
	print "  V=1              print the commands and the compiler"
	print "  SAN=1            build with ASan and UBSan in build/san"
	print "  CLANG=clang-N    choose the compiler"
	print "  T=NAME           run only the tests whose names contain NAME"
}
