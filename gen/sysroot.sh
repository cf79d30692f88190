#!/bin/sh
# SPDX-License-Identifier: MIT
# The C library, libgcc and kernel headers of another architecture, unpacked below a directory for
# cross building: sysroot.sh ARCH DIR. The host's own packages and package lists are not touched.
set -eu

die()
{
	echo "sysroot: $*" >&2
	exit 1
}

[ $# -eq 2 ] || die "usage: sysroot.sh ARCH DIR"
dir=$2

# Debian's names for architectures that others call otherwise.
case $1 in
x86_64) arch=amd64 ;;
aarch64) arch=arm64 ;;
arm) arch=armhf ;;
*) arch=$1 ;;
esac

# Complete is complete, without a network; the time stamp is what make looks at.
if [ -e "$dir/.ready" ]; then
	touch "$dir/.ready"
	exit 0
fi
for tool in apt-get apt-cache apt-config dpkg awk; do
	command -v $tool >/dev/null || die "$tool is missing: only a host with apt can do this"
done

name=$(basename "$dir")
parent=$(dirname "$dir")
{ mkdir -p "$parent" && cd "$parent"; } 2>/dev/null || die "$parent: cannot be made or entered"
work=$PWD/$name.apt
new=$PWD/$name.new
trap 'rm -rf "$work" "$new"' EXIT
trap 'exit 1' HUP INT TERM
rm -rf "$work" "$new"
mkdir -p "$work/sources" "$work/state/lists/partial" "$work/cache/archives/partial" \
	"$work/debs" "$new"
: >"$work/status"

# A private apt: nothing of the host's settings but how it fetches and the keys that it trusts.
eval "$(apt-config shell etc Dir::Etc/d list Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/d)"
apt-config dump | grep '^Acquire::' >"$work/apt.conf" || :
cat >>"$work/apt.conf" <<EOF
Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$work/sources";
Dir::State "$work/state";
Dir::State::status "$work/status";
Dir::Cache "$work/cache";
APT::Architecture "$arch";
APT::Architectures { "$arch"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
EOF
export APT_CONFIG="$work/apt.conf" LC_ALL=C

# The host's sources without their limits to an architecture. $1: a suite begins with it; sources
# of other suites are some vendor's and have no part in a C library.
sources()
{
	n=0
	for file in "$list" "$parts"*.list "$parts"*.sources; do
		[ -r "$file" ] || continue
		n=$((n + 1))
		case $file in
		*.list)
			awk -v want="$1" '/^[ \t]*deb[ \t]/ {
				gsub(/arch[+-]?=[^] \t]*/, ""); sub(/\[[ \t]*\]/, "")
				rest = $0; sub(/\[[^]]*\]/, "", rest); split(rest, word)
				if (index(word[3], want) == 1)
					print
			}' "$file" >"$work/sources/$n.list"
			;;
		*)
			awk -v want="$1" 'BEGIN { RS = ""; FS = "\n" }
			{
				keep = 0; text = ""
				for (i = 1; i <= NF; i++) {
					if ($i ~ /^(#|[Aa]rchitectures(-|:))/)
						continue
					if ($i ~ /^[Ss]uites:/)
						keep = index($i " ", " " want) > 0
					text = text $i "\n"
				}
				if (keep)
					print text
			}' "$file" >"$work/sources/$n.sources"
			;;
		esac
	done
	find "$work/sources" -type f -size 0 -exec rm {} +
	[ -n "$(ls "$work/sources")" ]
}

# The first error of a command that did not succeed: the later ones are consequences.
why()
{
	words=$(sed -n 's/^[EWN]: //p' "$work/log" | head -n 1)
	echo "${words:-the sources of this host have none}"
}

codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release 2>/dev/null | tr -d '"') || :
sources "$codename" || sources '' || die "no package sources in $list or $parts"

# One list that is missing need not matter: each of the others is signed and has its packages' sums.
apt-get update >"$work/log" 2>&1 || echo "sysroot: not all package lists: $(why)" >&2
libgcc=$(apt-cache pkgnames libgcc- | grep '^libgcc-[0-9]*-dev$' | sort -t- -k2,2n | tail -n 1)
[ -n "$libgcc" ] || die "no package libgcc-N-dev of $arch: $(why)"
(cd "$work/debs" && apt-get download musl-dev "$libgcc" linux-libc-dev) >"$work/log" 2>&1 ||
	die "packages of $arch cannot be had: $(why)"
for deb in "$work/debs"/*.deb; do
	dpkg -x "$deb" "$new" 2>"$work/log" || die "$(basename "$deb"): $(tail -n 1 "$work/log")"
done

: >"$new/.ready"
rm -rf "$name"
mv "$new" "$name"
