# SPDX-License-Identifier: MIT
# Prints the results of one machine, a line a scenario: "MACHINE <tab> SCENARIO <tab> ok|FAIL|skip <tab>
# REASON".
# Variables: machine, arch, release, plan, end. Files: scenarios, require, the plan, the machine's log.

function print_failure(name, reason) {
	print machine "\t" name "\tFAIL\t" reason
}

# 6.12.107+deb13 -> 6012
function version_number(version, part) {
	split(version, part, /[.+-]/)
	return part[1] * 1000 + part[2]
}

# Whether this machine may skip a scenario with this reason: tests/vm/require lists it, and doctor's
# records confirm it.
function is_allowed(reason, i, d, where) {
	for (i = 1; i <= nrequire; i++) {
		if (reason != skip_reason[i])
			continue
		where = skip_where[i]
		if (substr(where, 1, 1) == "<") {
			if (version_number(release) >= version_number(substr(where, 2)))
				continue
		} else if (where != arch && where != plan && where != machine) {
			continue
		}
		for (d = 1; d <= ndoctor; d++)
			if (doctor[d] ~ skip_doctor[i])
				return 1
	}
	return 0
}

FILENAME ~ /scenarios$/ {
	split($0, part, "\t")
	program[++n] = part[1]
	name[n] = part[2]
	next
}
FILENAME ~ /require$/ {
	if ($0 ~ /^[^#]/) {
		split($0, part, "|")
		skip_reason[++nrequire] = part[1]
		skip_where[nrequire] = part[2]
		skip_doctor[nrequire] = part[3]
	}
	next
}
# The scenarios that the plan runs: all of a program, or those whose names contain one of the words.
FILENAME ~ /[.]plan$/ {
	if ($1 == "check")
		checks[$2] = 1
	if ($1 == "#" && $2 == "doctor:") {
		sub(/^# doctor: /, "")
		expected_line[++nexpected_lines] = $0
		next
	}
	for (i = 1; $1 == "test" && i <= n; i++) {
		if (program[i] != $2)
			continue
		if (NF == 3)
			expected[i] = 1
		for (w = 4; w <= NF; w++)
			if (index(name[i], $w))
				expected[i] = 1
	}
	next
}
/^vm: (test|check|report) / {
	running = $3
	next
}
/^\{"record":"doctor_(capability|privilege)"/ {
	doctor[++ndoctor] = $0
	next
}
/^FAIL vm: / {
	print_failure("machine", substr($0, 10))
	failed = 1
	next
}
/^vm-end / {
	code = $3
	next
}
/^(ok|FAIL|skip) / {
	line = $0
	sub(/ \([0-9.]+ s\)$/, "", line)
	mark = $1
	rest = substr(line, length(mark) + 2)
	if (running in checks && index(rest, running) == 1) {
		if (running in result)
			mark = "FAIL"
		result[running] = mark
		if (mark != "ok")
			reason[running] = substr(rest, length(running) + 3)
		next
	}
	for (i = 1; i <= n; i++) {
		if (program[i] != running || index(rest, name[i]) != 1)
			continue
		after = substr(rest, length(name[i]) + 1)
		if (after != "" && after !~ /^: /)
			continue
		if (i in result) {
			result[i] = "FAIL"
			reason[i] = "reported twice"
		} else {
			result[i] = mark
			reason[i] = substr(after, 3)
		}
	}
}
END {
	# Without a kernel this is the only failure.
	if (end ~ /^no kernel/) {
		print machine "\tkernel\tFAIL\t" end
		exit
	}
	if (end != "done")
		print_failure("machine", end)
	# doctor must confirm the settings that the plan expects of the machine.
	for (p = 1; p <= nexpected_lines; p++) {
		for (d = 1; d <= ndoctor && doctor[d] !~ expected_line[p]; d++)
			;
		if (d > ndoctor)
			print_failure("machine", "doctor does not report " expected_line[p])
	}
	for (check in checks)
		if (result[check] == "ok")
			print machine "\t" check "\tok\t"
		else
			print_failure(check, result[check] == "" ? "not reported" : reason[check])
	for (i = 1; i <= n; i++) {
		if (!(i in expected))
			continue
		failed = failed || result[i] == "FAIL"
		if (!(i in result))
			print machine "\t" name[i] "\tFAIL\t" (end == "done" ? "not reported" : "")
		else if (result[i] == "skip" && !is_allowed(reason[i]))
			print_failure(name[i], "may not be skipped here: " reason[i])
		else
			print machine "\t" name[i] "\t" result[i] "\t" reason[i]
	}
	for (check in checks)
		failed = failed || result[check] == "FAIL"
	if (end == "done" && code != 0 && !failed)
		print_failure("machine", "a program exited with " code ", but no test failed")
}
