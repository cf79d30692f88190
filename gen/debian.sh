# SPDX-License-Identifier: MIT
# Downloads and unpacks Debian packages of any architecture and suite. The host's package lists,
# packages and settings do not change. Other scripts source this file and set $script to their name. A
# function that fails prints one line and exits, unless its comment says otherwise.

die()
{
	echo "$script: $*" >&2
	exit 1
}

# Prints Debian's name of an architecture.
debian_arch_name()
{
	case $1 in
	x86_64) echo amd64 ;;
	*) echo "$1" ;;
	esac
}

# Prints the first error of the last apt command. Later errors are consequences of it.
debian_print_error()
{
	message=$(sed -n 's/^[EWN]: //p' "$debian_work/log" | head -n 1)
	echo "${message:-not in the package sources of this host}"
}

# Copies the host's package sources with suite $2 in place of its own, for any architecture. $1 is the
# start of the host's suite names; other suites are other vendors' and are skipped. If
# $debian_no_updates is set, leaves out the suites -updates and -security. Fails if nothing is left.
debian_write_sources()
{
	n=0
	rm -f "$debian_work/sources"/*
	for file in "$list" "$parts"*.list "$parts"*.sources; do
		[ -r "$file" ] || continue
		n=$((n + 1))
		case $file in
		*.list)
			awk -v want="$1" -v suite="$2" -v plain="$debian_no_updates" '/^[ \t]*deb[ \t]/ {
				gsub(/\t/, " ")
				gsub(/arch[+-]?=[^] \t]*/, ""); sub(/\[[ \t]*\]/, "")
				rest = $0; sub(/\[[^]]*\]/, "", rest); split(rest, word)
				if (index(word[3], want) != 1)
					next
				to = suite substr(word[3], length(want) + 1)
				if (plain && to != suite)
					next
				at = index($0, " " word[3] " ")
				print substr($0, 1, at) to substr($0, at + 1 + length(word[3]))
			}' "$file" >"$debian_work/sources/$n.list"
			;;
		*)
			awk -v want="$1" -v suite="$2" -v plain="$debian_no_updates" 'BEGIN { RS = ""; FS = "\n" }
			{
				keep = 0; text = ""
				for (i = 1; i <= NF; i++) {
					if ($i ~ /^(#|[Aa]rchitectures(-|:))/)
						continue
					if ($i ~ /^[Ss]uites:/) {
						line = "Suites:"
						words = split($i, word, /[ \t]+/)
						for (w = 2; w <= words; w++) {
							if (index(word[w], want) != 1)
								continue
							to = suite substr(word[w], length(want) + 1)
							if (plain && to != suite)
								continue
							line = line " " to
							keep = 1
						}
						$i = line
					}
					text = text $i "\n"
				}
				if (keep)
					print text
			}' "$file" >"$debian_work/sources/$n.sources"
			;;
		esac
	done
	find "$debian_work/sources" -type f -size 0 -exec rm {} +
	[ -n "$(ls "$debian_work/sources")" ]
}

# Sets up a private apt in directory $1 for architecture $2 (Debian's name) and suite $3 ('': the
# host's). From then on apt-get and apt-cache use it. Downloads are verified with the host's keys.
debian_open()
{
	debian_work=$1 suite=$3 debian_no_updates=
	[ "$suite" != sid ] || debian_no_updates=1
	for tool in apt-get apt-cache apt-config dpkg awk; do
		command -v $tool >/dev/null || die "$tool is missing: this needs a host with apt"
	done
	rm -rf "$debian_work"
	mkdir -p "$debian_work/sources" "$debian_work/state/lists/partial" \
		"$debian_work/cache/archives/partial" "$debian_work/debs"
	: >"$debian_work/status"
	unset APT_CONFIG
	eval "$(apt-config shell etc Dir::Etc/d list Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/d)"
	# Of the host's settings, keep only the Acquire options and the trusted keys. sid's index is often
	# past its Valid-Until date.
	apt-config dump | grep '^Acquire::' >"$debian_work/apt.conf" || :
	cat >>"$debian_work/apt.conf" <<-END
	Dir::Etc::main "/dev/null";
	Dir::Etc::parts "/dev/null";
	Dir::Etc::preferences "/dev/null";
	Dir::Etc::preferencesparts "/dev/null";
	Dir::Etc::sourcelist "/dev/null";
	Dir::Etc::sourceparts "$debian_work/sources";
	Dir::State "$debian_work/state";
	Dir::State::status "$debian_work/status";
	Dir::Cache "$debian_work/cache";
	APT::Architecture "$2";
	APT::Architectures { "$2"; };
	APT::Sandbox::User "root";
	Acquire::Languages "none";
	Acquire::Retries "3";
	END
	[ "$suite" != sid ] || echo 'Acquire::Check-Valid-Until "false";' >>"$debian_work/apt.conf"
	export APT_CONFIG="$debian_work/apt.conf" LC_ALL=C

	codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release 2>/dev/null | tr -d '"') || :
	if [ -n "$suite" ]; then
		[ -n "$codename" ] && debian_write_sources "$codename" "$suite" ||
			die "$list and $parts have no Debian source, which is needed to find $suite"
	else
		debian_write_sources "$codename" "$codename" || debian_write_sources '' '' ||
			die "$list and $parts have no package source"
	fi
	debian_update
}

# Updates the package lists. A failed list is reported but is no error, since the others may suffice;
# each list is signed and has its packages' checksums.
debian_update()
{
	apt-get update >"$debian_work/log" 2>&1 || echo "$script: cannot update all package lists: $(debian_print_error)" >&2
}

# Downloads packages $2... and unpacks them below directory $1. Returns 1 if a download fails.
debian_unpack()
{
	into=$1
	shift
	(cd "$debian_work/debs" && rm -f ./*.deb && apt-get download "$@") >"$debian_work/log" 2>&1 ||
		return 1
	for deb in "$debian_work/debs"/*.deb; do
		dpkg -x "$deb" "$into" 2>"$debian_work/log" ||
			die "$(basename "$deb"): $(tail -n 1 "$debian_work/log")"
	done
}
