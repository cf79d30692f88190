# SPDX-License-Identifier: MIT
# Prints the table of results: a row for each scenario and a column for each machine. With markdown=1,
# prints the table for RESULTS.md: a row for each machine. Files: the machines' .row files (nends of
# them), then the results.
BEGIN {
	FS = "\t"
	letters = "abcdefghijklmnopqrstuvwxyz"
	ngroups = split("programs count filter guard capture live owner observe trace probe misc " \
		"errors loopback", groups, " ")
	heading = "programs on crafted packets | count | filter | guard | capture files |" \
		" live capture | processes | observers | trace | probe |" \
		" doctor, demo, status, detach | errors | loopback only"
}

# The column of a scenario in RESULTS.md.
function get_group(scenario) {
	if (scenario == "doctor" || scenario == "machine" || scenario == "kernel")
		return "misc"
	if (scenario ~ /: /)
		return "programs"
	sub(/_.*/, "", scenario)
	return scenario
}

# The letter of a reason for skips, in order of appearance.
function get_letter(reason) {
	if (!(reason in letter_of)) {
		letter_of[reason] = substr(letters, ++nreasons, 1)
		reason_of[nreasons] = reason
	}
	return letter_of[reason]
}

FNR == 1 {
	file++
}
file <= nends {
	machine[++nmachines] = $1
	arch[$1] = $2
	release[$1] = $3
	plan[$1] = $4
	started[$1] = $6
	next
}
{
	if (!($2 in row)) {
		row[$2] = ++nrows
		scenario[nrows] = $2
	}
	sum[$3]++
	g = $1 SUBSEP get_group($2)
	if ($3 == "ok") {
		cell[$1, $2] = "ok"
		good[g]++
	} else if ($3 == "skip") {
		cell[$1, $2] = get_letter($4)
		skips[g]++
		if (!((g, $4) in seen))
			marks[g] = marks[g] get_letter($4)
		seen[g, $4] = 1
	} else {
		cell[$1, $2] = "FAIL"
		bad[g]++
		if ($4 != "") # a scenario that did not run is covered by the machine's failure
			failure[++nfailures] = "FAIL " $1 ": " $2 ": " $4
	}
}

function format_cell(m, what, g, text) {
	g = m SUBSEP what
	text = good[g] + 0 > 0 ? good[g] : ""
	if (bad[g])
		text = text (text == "" ? "" : ", ") bad[g] " FAIL"
	if (skips[g])
		text = text (text == "" ? "" : ", ") skips[g] " skipped (" marks[g] ")"
	return text == "" ? "-" : text
}

function print_markdown(i, g, line) {
	print "| kernel | architecture | started with | " heading " |"
	line = "| --- | --- | --- |"
	for (g = 1; g <= ngroups; g++)
		line = line " --- |"
	print line
	for (i = 1; i <= nmachines; i++) {
		m = machine[i]
		line = "| " release[m] " | " arch[m] " | " started[m] " |"
		for (g = 1; g <= ngroups; g++)
			line = line " " format_cell(m, groups[g]) " |"
		print line
	}
	if (!nreasons)
		return
	line = "\nSkipped:"
	for (i = 1; i <= nreasons; i++)
		line = line (i > 1 ? ";" : "") " (" substr(letters, i, 1) ") " reason_of[i]
	print line "."
}

function print_text(i, r) {
	for (i = 1; i <= nmachines; i++) {
		m = machine[i]
		printf "%3d  %-14s %s, %s, %s\n", i, m, release[m], arch[m], started[m]
	}
	printf "\n%-52s", "scenario"
	for (i = 1; i <= nmachines; i++)
		printf " %4d", i
	print ""
	for (r = 1; r <= nrows; r++) {
		printf "%-52s", scenario[r]
		for (i = 1; i <= nmachines; i++) {
			m = machine[i]
			printf " %4s", ((m, scenario[r]) in cell) ? cell[m, scenario[r]] : "."
		}
		print ""
	}
	print ""
	for (i = 1; i <= nreasons; i++)
		printf "%s: skipped, %s\n", substr(letters, i, 1), reason_of[i]
	for (i = 1; i <= nfailures; i++)
		print failure[i]
	printf "%d passed, %d failed, %d skipped\n", sum["ok"], sum["FAIL"], sum["skip"]
}

END {
	if (markdown)
		print_markdown()
	else
		print_text()
}
