# SPDX-License-Identifier: MIT
# What doctor chose on each machine, as a table for the README. Variable: release (and architecture of
# the machine whose log it is; "head": the table's head). File: the machine's log.

function value(line, key, rest) {
	if (!match(line, "\"" key "\":\"[^\"]*\""))
		return ""
	rest = substr(line, RSTART + length(key) + 4, RLENGTH - length(key) - 5)
	return rest
}

BEGIN {
	n = split("count incoming|count outgoing, tc|large frames|stream events|capture memory|" \
		"kernel types (CO-RE)|trace|kprobes|uprobes", column, "|")
	if (release == "head") {
		line = "| kernel |"
		rule = "| --- |"
		for (i = 1; i <= n; i++) {
			line = line " " column[i] " |"
			rule = rule " --- |"
		}
		print line
		print rule
		exit
	}
}
/^\{"record":"doctor_capability"/ {
	name = value($0, "capability")
	hook = value($0, "hook")
	fallback = value($0, "fallback")
	if (name in cell)
		next
	cell[name] = /"available":true/ ? hook : fallback == "" ? "no" : "no: " fallback
}
END {
	if (release == "head")
		exit
	line = "| " release " |"
	for (i = 1; i <= n; i++)
		line = line " " (column[i] in cell ? cell[column[i]] : "?") " |"
	print line
}
