# SPDX-License-Identifier: MIT
# Debian packages of any architecture and suite, unpacked somewhere, without touching the host: its
# package lists, its packages and its settings stay as they are. Sourced by other scripts, which
# have set $me to their name; each function ends the script with one line if it cannot do its part.

die()
{
	echo "$me: $*" >&2
	exit 1
}

# Debian's name of an architecture that others call otherwise.
debian_arch()
{
	case $1 in
	x86_64) echo amd64 ;;
	*) echo "$1" ;;
	esac
}

# The first error of a command that did not succeed: the later ones are consequences.
debian_why()
{
	words=$(sed -n 's/^[EWN]: //p' "$debian_work/log" | head -n 1)
	echo "${words:-the sources of this host have none}"
}

# The host's sources as those of suite $2, without limits to an architecture. $1: what the host's
# suite begins with; sources of other suites are some vendor's. With $debian_plain, without the
# suite's -updates and -security.
debian_sources()
{
	n=0
	rm -f "$debian_work/sources"/*
	for file in "$list" "$parts"*.list "$parts"*.sources; do
		[ -r "$file" ] || continue
		n=$((n + 1))
		case $file in
		*.list)
			awk -v want="$1" -v suite="$2" -v plain="$debian_plain" '/^[ \t]*deb[ \t]/ {
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
			awk -v want="$1" -v suite="$2" -v plain="$debian_plain" 'BEGIN { RS = ""; FS = "\n" }
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

# A private apt in directory $1 for architecture $2 (Debian's name) and suite $3 ('': the host's):
# from here on apt-get and apt-cache work there. What is fetched is signed, by keys the host trusts.
debian_open()
{
	debian_work=$1 suite=$3 debian_plain=
	[ "$suite" != sid ] || debian_plain=1
	for tool in apt-get apt-cache apt-config dpkg awk; do
		command -v $tool >/dev/null || die "$tool is missing: only a host with apt can do this"
	done
	rm -rf "$debian_work"
	mkdir -p "$debian_work/sources" "$debian_work/state/lists/partial" \
		"$debian_work/cache/archives/partial" "$debian_work/debs"
	: >"$debian_work/status"
	unset APT_CONFIG
	eval "$(apt-config shell etc Dir::Etc/d list Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/d)"
	# Nothing of the host's settings but how it fetches and the keys that it trusts. sid's index is
	# often older than it says it is good for.
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
		[ -n "$codename" ] && debian_sources "$codename" "$suite" ||
			die "no sources of Debian in $list or $parts to find $suite by"
	else
		debian_sources "$codename" "$codename" || debian_sources '' '' ||
			die "no package sources in $list or $parts"
	fi
	debian_update
}

# One list that is missing need not matter: each of the others is signed and has its packages' sums.
debian_update()
{
	apt-get update >"$debian_work/log" 2>&1 || echo "$me: not all package lists: $(debian_why)" >&2
}

# The suite alone: an index of updates may name what its server no longer has.
debian_without_updates()
{
	debian_plain=1
	debian_sources "$codename" "${suite:-$codename}" || die "no sources of ${suite:-$codename}"
	debian_update
}

# Packages $2... unpacked below directory $1.
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
