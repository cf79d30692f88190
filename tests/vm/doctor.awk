# SPDX-License-Identifier: MIT
# Prints a row of the table of doctor's results in RESULTS.md. Variable: release, the text of the first
# column; "head" prints the head of the table. File: the machine's log.

function get_value(line, key, rest) {
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
	name = get_value($0, "capability")
	hook = get_value($0, "hook")
	fallback = get_value($0, "fallback")
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
