#!/bin/sh
# SPDX-License-Identifier: MIT
# Downloads Debian's newest kernel of a suite, with the modules that the scenarios need: kernel.sh ARCH
# SUITE DIR. Writes DIR/vmlinuz, DIR/release, and DIR/modules/NN-NAME.ko, numbered in the order to load
# them. An existing kernel is renewed after a week. If that fails, it stays in use, and DIR/.kept has
# its age.
set -eu
script=kernel
here=$(dirname "$0")
. "$here/../../gen/debian.sh"
modules='veth sch_ingress cls_bpf af_packet tun'

[ $# -eq 3 ] || die "Usage: kernel.sh ARCH SUITE DIR"
suite=$2 dir=$3
# Also renewed if this script is newer, since the list of modules may have changed.
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

# Uses the older kernel. Fails if none is available.
give_up()
{
	[ -e "$dir/.ready" ] || die "$*"
	days=$((($(date +%s) - $(stat -c %Y "$dir/.ready")) / 86400))
	echo "$script: $*: using the kernel of $days days ago" >&2
	echo "$days days old" >"$dir/.kept"
	exit 0
}

list_depends()
{
	apt-cache depends "$1" 2>/dev/null | sed -n "s/^ *Depends: //p" | grep "^linux-$2" || :
}
# Prints the image packages to try. The meta package depends on the newest one, which a mirror in the
# middle of an update may not have. Then come the others of its series, the newest first.
list_images()
{
	first=$(list_depends $meta image- | head -n 1)
	[ -n "$first" ] || return 0
	echo "$first"
	flavour=${meta#linux-image-}
	series=$(echo "$first" | sed 's/^linux-image-\([0-9]*\.[0-9]*\).*/\1/')
	apt-cache pkgnames "linux-image-$series" | grep -- "^linux-image-$series[.+-].*-$flavour\$" |
		grep -vxF "$first" | sort -rV
}
# Downloads and unpacks an image. From 7.x on, the image package depends on others that have the files.
fetch_kernel()
{
	for image in $(list_images); do
		for version in $(apt-cache madison "$image" | awk '{ print $3 }'); do
			rm -rf "$tree"
			mkdir -p "$tree"
			parts=''
			for part in $(list_depends "$image=$version" '\(binary\|modules\)-'); do
				parts="$parts $part=$version"
			done
			# shellcheck disable=SC2086
			! debian_unpack "$tree" "$image=$version" $parts || return 0
		done
	done
	return 1
}
debian_open "$work.apt" "$(debian_arch_name "$1")" "$suite"
fetch_kernel || give_up "cannot download a kernel of $suite for $1: $(debian_print_error)"

rm -rf "$new"
mkdir -p "$new/modules"
found=$(find "$tree" -name 'vmlinu[xz]*' -type f | head -n 1)
[ -n "$found" ] || die "no kernel in $image"
cp "$found" "$new/vmlinuz"
root=$(find "$tree" -path '*lib/modules/*' -name kernel -type d | head -n 1)
[ -n "$root" ] || die "no modules in $image"
basename "$(dirname "$root")" >"$new/release"

# Copies module $1 (a name with _ for -) and the modules that it depends on. Dependencies are read from
# the module, since the packages have no index of them.
n=0
copy_module()
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
	for depends in $(tr '\0' '\n' <"$unpacked" | sed -n 's/^depends=//p' | tr ',-' ' _'); do
		copy_module "$depends"
	done
	n=$((n + 1))
	mv "$new/$1.ko" "$new/modules/$(printf %02d $n)-$1.ko"
}
for name in $modules; do
	copy_module "$name"
done

: >"$new/.ready"
rm -rf "$dir"
mv "$new" "$dir"
