#!/bin/sh
# SPDX-License-Identifier: MIT
# Checks the documentation in the binary: help and topics fit a terminal, manual pages pass mandoc's
# lint, and completion offers every option in each shell.
# usage: tests/help.sh BINARY MAN-DIR
set -u
binary=$(realpath "${1:?usage: tests/help.sh BINARY MAN-DIR}")
man=${2:?usage: tests/help.sh BINARY MAN-DIR}
. "$(dirname "$0")/report.sh"
"$binary" completion fish >"$work/sonde.fish"
"$binary" completion bash >"$work/sonde.bash"
mkdir -p "$work/zsh"
"$binary" completion zsh >"$work/zsh/_sonde"

# All commands and subcommands ("filter add"), one a line.
sed -n "s/.*__sonde_at '\([^']*\)'.*/\1/p" "$work/sonde.fish" | grep . | sort -u >"$work/commands"
[ "$(wc -l <"$work/commands")" -gt 30 ] || echo "only $(wc -l <"$work/commands") commands" >"$work/problems"
report_result 'completion knows all commands'

{
	"$binary" help
	for topic in filter json costs exit; do "$binary" help $topic; done
	while read -r command; do
		# shellcheck disable=SC2086
		"$binary" $command --help || echo "$command --help exits with $?"
	done <"$work/commands"
} >"$work/help" 2>&1
expand "$work/help" | awk 'length($0) > 80 { print length($0) ": " $0 }' >"$work/problems"
grep -n ' $' "$work/help" | grep -v '^[0-9]*:Usage: ' >>"$work/problems"
report_result 'help and topics fit 80 columns'

while read -r command; do
	# shellcheck disable=SC2086
	"$binary" help $command >"$work/a" 2>&1 || echo "help $command exits with $?"
	# shellcheck disable=SC2086
	[ "$command" = filter ] || "$binary" $command --help | cmp -s - "$work/a" || echo "help $command differs from --help"
done <"$work/commands" >"$work/problems"
report_result 'help COMMAND and COMMAND --help print the same'

if command -v mandoc >/dev/null; then
	mkdir -p "$work/man/man1" "$work/man/man7"
	cp "$man"/*.1 "$work/man/man1" && cp "$man"/*.7 "$work/man/man7"
	makewhatis=$(command -v makewhatis || command -v mmakewhatis || ls /usr/sbin/*makewhatis 2>/dev/null | head -n 1)
	[ -z "$makewhatis" ] || "$makewhatis" "$work/man" 2>>"$work/problems"
	for page in "$work"/man/man?/*; do
		(cd "$work/man" && MANPATH=$work/man mandoc -Tlint -W style "$page")
	done >"$work/problems" 2>&1
	[ "$(ls "$work"/man/man1 | wc -l)" -ge 13 ] || echo 'manual pages are missing' >>"$work/problems"
	report_result 'manual pages pass mandoc -Tlint'
else
	report_skip 'manual pages pass mandoc -Tlint' 'mandoc is not installed'
fi

# The options that help lists: "COMMAND<tab>--name".
while read -r command; do
	# shellcheck disable=SC2086
	"$binary" $command --help | sed -n "s/^  *\(-., \)\{0,1\}\(--[a-z-]*\).*/$command	\2/p"
done <"$work/commands" >"$work/options"

bash -n "$work/sonde.bash" >"$work/problems" 2>&1
bash -c '. "$1"
while IFS="	" read -r command option; do
	COMP_WORDS=(sonde $command "$option") COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=()
	_sonde
	case " ${COMPREPLY[*]} " in *" $option "*) ;; *) echo "$command $option: ${COMPREPLY[*]}" ;; esac
done
COMP_WORDS=(sonde count -o j) COMP_CWORD=3; _sonde
[ "${COMPREPLY[*]}" = json ] || echo "count -o j: ${COMPREPLY[*]}"' bash "$work/sonde.bash" \
	<"$work/options" >>"$work/problems" 2>&1
report_result 'bash completes every option'

if command -v fish >/dev/null; then
	fish -n "$work/sonde.fish" >"$work/problems" 2>&1
	# shellcheck disable=SC2016
	HOME=$work fish -N -c 'source $argv[1]
while read -l -d \t command option
	complete -C "sonde $command $option" | string match -rq -- "^$option(\t|\$)"; or echo "$command $option"
end' "$work/sonde.fish" <"$work/options" >>"$work/problems" 2>&1
	report_result 'fish completes every option'
else
	report_skip 'fish completes every option' 'fish is not installed'
fi

if command -v zsh >/dev/null; then
	zsh -n "$work/zsh/_sonde" >"$work/problems" 2>&1
	# Types the start of a command line and a tab into zsh on a pseudoterminal, and reads the line.
	# shellcheck disable=SC2016
	HOME=$work zsh -f -o extendedglob -c '
	zmodload zsh/zpty
	zpty shell zsh -f -i
	zpty -w shell "PS1=; fpath=($1/zsh \$fpath); autoload -U compinit; compinit -u -D; . $1/zsh/_sonde; echo ready"
	zpty -r -m shell out "*ready*ready*" || true
	for pair in "sonde cou:sonde count" "sonde filter rep:sonde filter replace" \
		"sonde count --inst:sonde count --install" "sonde guard start --enf:sonde guard start --enforce"; do
		zpty -w -n shell "${pair%%:*}"$'"'\t'"'
		sleep 1
		zpty -r -t shell out
		seen=""
		while [ -n "$out" ]; do seen="$seen$out"; out=""; zpty -r -t shell out || break; done
		seen=${seen//$'"'\e'"'\[[0-9;]#[a-zA-Z]/}
		seen=${seen//[^[:print:]]/}
		[[ "$seen" == *"${pair#*:}"* ]] || print -r -- "${pair%%:*} completes to $seen"
		zpty -w -n shell $'"'\\x15'"'
	done' zsh "$work" >>"$work/problems" 2>&1
	report_result 'zsh completes commands and options'
else
	report_skip 'zsh completes commands and options' 'zsh is not installed'
fi

print_summary
