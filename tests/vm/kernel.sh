#!/bin/sh
# SPDX-License-Identifier: MIT
# Debian's newest kernel of a suite, with the modules that the scenarios want, below a directory:
# kernel.sh ARCH SUITE DIR. There: vmlinuz, release, and modules/NN-NAME.ko in the order to load them.
# One that is there is renewed after a week; if that cannot be, it serves on, and DIR/.kept says since
# when it is there.
set -eu
script=kernel
here=$(dirname "$0")
. "$here/../../gen/debian.sh"
wanted='veth sch_ingress cls_bpf af_packet tun'

[ $# -eq 3 ] || die "usage: kernel.sh ARCH SUITE DIR"
suite=$2 dir=$3
# What this script wants may have changed.
[ ! "$dir/.ready" -nt "$0" ] || [ -n "$(find "$dir/.ready" -mtime +6)" ] || exit 0
case $1 in
x86_64) meta=linux-image-cloud-amd64 ;;
arm64) meta=linux-image-cloud-arm64 ;;
armhf) meta=linux-image-armmp-lpae ;;
*) meta=linux-image-$1 ;;
esac

mkdir -p "$dir/.."
work=$(cd "$dir/.." && pwd)/$(basename "$dir")
tree=$work.tree new=$work.new
trap 'rm -rf "$work.apt" "$tree" "$new"' EXIT
trap 'exit 1' HUP INT TERM

# What cannot be had is no failure as long as there is one.
give_up()
{
	[ -e "$dir/.ready" ] || die "$*"
	days=$((($(date +%s) - $(stat -c %Y "$dir/.ready")) / 86400))
	echo "$script: $*: the one of $days days ago serves" >&2
	echo "$days days old" >"$dir/.kept"
	exit 0
}

depends()
{
	apt-cache depends "$1" 2>/dev/null | sed -n "s/^ *Depends: //p" | grep "^linux-$2" || :
}
# The meta package names the newest, which a server in the middle of its update may not have: then
# another of that series does, the newest first.
images()
{
	first=$(depends $meta image- | head -n 1)
	[ -n "$first" ] || return 0
	echo "$first"
	flavour=${meta#linux-image-}
	series=$(echo "$first" | sed 's/^linux-image-\([0-9]*\.[0-9]*\).*/\1/')
	apt-cache pkgnames "linux-image-$series" | grep -- "^linux-image-$series[.+-].*-$flavour\$" |
		grep -vxF "$first" | sort -rV
}
# From 7.x on that package is empty and names those with the files.
fetch()
{
	for image in $(images); do
		for version in $(apt-cache madison "$image" | awk '{ print $3 }'); do
			rm -rf "$tree"
			mkdir -p "$tree"
			parts=''
			for part in $(depends "$image=$version" '\(binary\|modules\)-'); do
				parts="$parts $part=$version"
			done
			# shellcheck disable=SC2086
			! debian_unpack "$tree" "$image=$version" $parts || return 0
		done
	done
	return 1
}
debian_open "$work.apt" "$(debian_arch_name "$1")" "$suite"
fetch || give_up "no kernel of $suite for $1 can be had: $(debian_print_error)"

rm -rf "$new"
mkdir -p "$new/modules"
found=$(find "$tree" -name 'vmlinu[xz]*' -type f | head -n 1)
[ -n "$found" ] || die "no kernel in $image"
cp "$found" "$new/vmlinuz"
root=$(find "$tree" -path '*lib/modules/*' -name kernel -type d | head -n 1)
[ -n "$root" ] || die "no modules in $image"
basename "$(dirname "$root")" >"$new/release"

# What a module needs stands in it; the packages bring no index of that. $1: a name with _ for -.
n=0
module()
{
	[ -z "$(find "$new/modules" -name "*-$1.ko")" ] || return 0
	file=$(find "$root" -name '*.ko*' | sed -n "h;s|.*/||;s|\.ko.*||;s|-|_|g;/^$1\$/{g;p;q}")
	[ -n "$file" ] || return 0 # built in
	unpacked=$new/$1.ko
	case $file in
	*.xz) xz -dc "$file" >"$unpacked" ;;
	*.zst) zstd -qdc "$file" >"$unpacked" ;;
	*.gz) gzip -dc "$file" >"$unpacked" ;;
	*) cp "$file" "$unpacked" ;;
	esac
	for need in $(tr '\0' '\n' <"$unpacked" | sed -n 's/^depends=//p' | tr ',-' ' _'); do
		module "$need"
	done
	n=$((n + 1))
	mv "$new/$1.ko" "$new/modules/$(printf %02d $n)-$1.ko"
}
for name in $wanted; do
	module "$name"
done

: >"$new/.ready"
rm -rf "$dir"
mv "$new" "$dir"
