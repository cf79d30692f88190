#!/bin/sh
# SPDX-License-Identifier: MIT
# The first two commands of a new user, on Debian of a suite with nothing but make: `make run` (what
# it installs, builds and shows) and `make check-product`. Then the programs that were made there run
# here: kernel programs by the compiler of that suite, judged by this kernel. The roots and their
# packages are fetched once and kept.
# usage: tests/fresh.sh PROGRAMS SUITE...
# PROGRAMS: "none", "some" of the tests of kernel programs, or "all" of them.
set -u
here=$(cd "$(dirname "$0")" && pwd)
roots=$PWD/build/fetched/root

# Inside, mounts are of this process alone: fresh.sh inside SUITE PROGRAMS OUT.
inside() {
	suite=$1 programs=$2 out=$3
	top=$(mktemp -d)
	# What is changed goes to memory where there is plenty: 1.2 GB, and unpacking is waiting for disks.
	if [ "$(awk '/^MemAvailable/ { print int($2 / 1048576) }' /proc/meminfo)" -ge 4 ]; then
		mount -t tmpfs -o size=3g tmpfs "$top"
	else
		rmdir "$top" && top=$(mktemp -d "$roots/$suite.XXXXXX")
	fi
	mkdir "$top/upper" "$top/work" "$top/root"
	root=$top/root
	mount -t overlay -o "lowerdir=$roots/$suite,upperdir=$top/upper,workdir=$top/work" overlay "$root" 2>/dev/null ||
		{ cp -a "$roots/$suite/." "$root" && mount --bind "$root" "$root"; }
	mount -t proc proc "$root/proc" && mount --rbind /sys "$root/sys" && mount --rbind /dev "$root/dev" &&
		mount -t tmpfs tmpfs "$root/tmp" && mount --bind "$roots/$suite.debs" "$root/var/cache/apt/archives" || return
	cp /etc/resolv.conf "$root/etc/resolv.conf"
	# Of this host only how it fetches; and nothing there may start a service.
	apt-config dump | grep -i '^Acquire::http' >"$root/etc/apt/apt.conf.d/host"
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
	chmod 755 "$root/usr/sbin/policy-rc.d"
	mkdir "$root/root/sonde"
	tar --exclude=./build --exclude=./.git -cf - . | tar -xf - -C "$root/root/sonde" || return
	type() {
		env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C \
			${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
			chroot "$root" sh -c "cd /root/sonde && $1" >"$out/log" 2>&1 && rm "$out/log"
	}
	rc=0
	type 'make run'
	report "$suite: make run, with nothing but make before it"
	type 'make check-product'
	report "$suite: make check-product"
	[ "$programs" = none ] || {
		type "make $([ "$programs" = all ] && echo vm-programs || echo build/tests/run/run)"
		report "$suite: the programs of the tests are made"
		cp -r "$root/root/sonde/build/sonde" "$root/root/sonde/build/tests" "$out"
	}
	case $top in "$roots"/*) umount -R "$root" && rm -rf "$top" ;; esac
	return $rc
}
# A line of the outcomes, with the end of what was said if it was not good.
report() {
	if [ -e "$out/log" ]; then
		echo "FAIL $1:"
		tail -n 20 "$out/log" | sed 's/^/  /'
		rc=1
	else
		echo "ok $1"
	fi >>"$out/outcomes"
}
if [ "$1" = inside ]; then
	shift
	inside "$@"
	exit
fi

programs=$1
shift
. "$here/verdict.sh"
outcome() {
	case $1 in
	ok*) passed=$((passed + 1)) ;;
	FAIL*) failed=$((failed + 1)) ;;
	esac
	echo "$1"
}

# The root of a suite, from the mirror that this host has Debian from.
fetch_root() {
	[ ! -e "$roots/$1.ready" ] || return 0
	codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release | tr -d '"')
	# shellcheck disable=SC2016 # apt's own words
	mirror=$(apt-get 2>/dev/null indextargets --format '$(REPO_URI) $(RELEASE)' 'Identifier: Packages' |
		awk -v suite="$codename" '$2 == suite && $1 ~ /debian/ { print $1; exit }')
	[ "$mirror" ] || return 2
	rm -rf "${roots:?}/$1"
	mkdir -p "$roots/$1.debs/partial"
	debootstrap --variant=minbase --include=make "$1" "$roots/$1" "$mirror" >"$work/log" 2>&1 || {
		tail -n 3 "$work/log"
		return 1
	}
	# No need to wait for disks.
	echo force-unsafe-io >"$roots/$1/etc/dpkg/dpkg.cfg.d/unsafe-io"
	: >"$roots/$1.ready"
}

if [ "$(id -u)" != 0 ]; then
	skip 'builds on a fresh machine' 'needs root'
	summary
	exit
fi
mkdir -p "$roots"
for suite in "$@"; do
	out=$PWD/build/fresh/$suite
	rm -rf "$out"
	mkdir -p "$out"
	rc=0
	fetch_root "$suite" >"$work/found" || rc=$?
	if [ $rc = 2 ]; then
		skip "builds on a fresh $suite" 'this host has no source of Debian'
		continue
	fi
	if [ $rc != 0 ]; then
		[ -s "$work/found" ] || echo 'it cannot be had' >"$work/found"
		verdict "$suite: a root of it"
		continue
	fi
	unshare -m sh "$here/fresh.sh" inside "$suite" "$programs" "$out" || echo 'did not end well' >"$work/found"
	while IFS= read -r line; do
		outcome "$line"
	done <"$out/outcomes"
	[ -s "$out/outcomes" ] || verdict "$suite: a root of it"
	[ -x "$out/tests/run/run" ] || continue
	echo "kernel programs by the compiler of $suite, on this kernel:"
	case $programs in
	some) TEST_SLOW=10 "$out/tests/run/run" every rules: sets 'hundreds of terms' || failed=$((failed + 1)) ;;
	all) "$out/tests/run/run" || failed=$((failed + 1)) ;;
	esac
done
summary
