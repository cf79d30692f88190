# SPDX-License-Identifier: MIT
# What one machine told: a line a scenario, "MACHINE <tab> SCENARIO <tab> ok|FAIL|skip <tab> WORDS".
# Variables: machine, arch, release, plan, end. Files: scenarios, require, the plan, the machine's log.

function fail(name, words) {
	print machine "\t" name "\tFAIL\t" words
}

# 6.12.107+deb13 -> 6012
function number(version, part) {
	split(version, part, /[.+-]/)
	return part[1] * 1000 + part[2]
}

# May a scenario be skipped with these words here? doctor has to have said the same.
function allowed(words, i, said, where) {
	for (i = 1; i <= nrequire; i++) {
		if (words != lack[i])
			continue
		where = place[i]
		if (substr(where, 1, 1) == "<") {
			if (number(release) >= number(substr(where, 2)))
				continue
		} else if (where != arch && where != plan && where != machine) {
			continue
		}
		for (said = 1; said <= nsaid; said++)
			if (doctor[said] ~ proof[i])
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
		lack[++nrequire] = part[1]
		place[nrequire] = part[2]
		proof[nrequire] = part[3]
	}
	next
}
# What the plan asks for: all scenarios of a program, or those that its words name.
FILENAME ~ /[.]plan$/ {
	if ($1 == "check")
		checks[$2] = 1
	if ($1 == "#" && $2 == "doctor:") {
		sub(/^# doctor: /, "")
		proofs[++nproofs] = $0
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
	now = $3
	next
}
/^\{"record":"doctor_(capability|privilege)"/ {
	doctor[++nsaid] = $0
	next
}
/^FAIL vm: / {
	fail("machine", substr($0, 10))
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
	if (now in checks && index(rest, now) == 1) {
		if (now in told)
			mark = "FAIL"
		told[now] = mark
		if (mark != "ok")
			words[now] = substr(rest, length(now) + 3)
		next
	}
	for (i = 1; i <= n; i++) {
		if (program[i] != now || index(rest, name[i]) != 1)
			continue
		after = substr(rest, length(name[i]) + 1)
		if (after != "" && after !~ /^: /)
			continue
		if (i in told) {
			told[i] = "FAIL"
			words[i] = "told twice"
		} else {
			told[i] = mark
			words[i] = substr(after, 3)
		}
	}
}
END {
	# No machine, so nothing that failed there.
	if (end ~ /^no kernel/) {
		print machine "\tkernel\tFAIL\t" end
		exit
	}
	if (end != "done")
		fail("machine", end)
	# What the machine was to be like, it has to be: doctor says so.
	for (p = 1; p <= nproofs; p++) {
		for (said = 1; said <= nsaid && doctor[said] !~ proofs[p]; said++)
			;
		if (said > nsaid)
			fail("machine", "doctor does not say " proofs[p])
	}
	for (check in checks)
		if (told[check] == "ok")
			print machine "\t" check "\tok\t"
		else
			fail(check, told[check] == "" ? "not reported" : words[check])
	for (i = 1; i <= n; i++) {
		if (!(i in expected))
			continue
		failed = failed || told[i] == "FAIL"
		if (!(i in told))
			print machine "\t" name[i] "\tFAIL\t" (end == "done" ? "not reported" : "")
		else if (told[i] == "skip" && !allowed(words[i]))
			fail(name[i], "may not be skipped here: " words[i])
		else
			print machine "\t" name[i] "\t" told[i] "\t" words[i]
	}
	for (check in checks)
		failed = failed || told[check] == "FAIL"
	if (end == "done" && code != 0 && !failed)
		fail("machine", "a program exited with " code ", and no result says why")
}
