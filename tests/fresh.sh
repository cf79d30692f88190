#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the first commands of a new user, `make run` and `make check-product`, on a fresh Debian with only
# make installed. Then runs the tests of kernel programs that were built there on this kernel, since
# each suite has another compiler. The systems and their packages are downloaded once and kept.
# usage: tests/fresh.sh PROGRAMS SUITE...
# PROGRAMS: which tests of kernel programs to run: "none", "some" or "all".
set -u
here=$(cd "$(dirname "$0")" && pwd)
roots=$PWD/build/fetched/root

# fresh.sh inside SUITE PROGRAMS OUT: runs in a private mount namespace and writes OUT/outcomes.
run_inside() {
	suite=$1 programs=$2 out=$3
	top=$(mktemp -d)
	# Keep the changes (1.2 GB) in memory if enough is available, since unpacking on disks is slow.
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
	# Take over this host's download settings, and keep packages from starting services.
	apt-config dump | grep -i '^Acquire::http' >"$root/etc/apt/apt.conf.d/host"
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
	chmod 755 "$root/usr/sbin/policy-rc.d"
	mkdir "$root/root/sonde"
	tar --exclude=./build --exclude=./.git -cf - . | tar -xf - -C "$root/root/sonde" || return
	run_in_root() {
		env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C \
			${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
			chroot "$root" sh -c "cd /root/sonde && $1" >"$out/log" 2>&1 && rm "$out/log"
	}
	rc=0
	run_in_root 'make run'
	write_outcome "$suite: make run, with only make installed"
	run_in_root 'make check-product'
	write_outcome "$suite: make check-product"
	[ "$programs" = none ] || {
		run_in_root "make $([ "$programs" = all ] && echo vm-programs || echo build/tests/run/run)"
		write_outcome "$suite: the test programs build"
		cp -r "$root/root/sonde/build/sonde" "$root/root/sonde/build/tests" "$out"
	}
	case $top in "$roots"/*) umount -R "$root" && rm -rf "$top" ;; esac
	return $rc
}
# Appends a line to the outcomes, with the end of the output if the command failed.
write_outcome() {
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
	run_inside "$@"
	exit
fi

programs=$1
shift
. "$here/report.sh"
count_outcome() {
	case $1 in
	ok*) passed=$((passed + 1)) ;;
	FAIL*) failed=$((failed + 1)) ;;
	esac
	echo "$1"
}

# Makes the root of suite $1, from the Debian mirror of this host. Returns 2 if the host has none.
fetch_root() {
	[ ! -e "$roots/$1.ready" ] || return 0
	codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release | tr -d '"')
	# shellcheck disable=SC2016 # apt expands these
	mirror=$(apt-get 2>/dev/null indextargets --format '$(REPO_URI) $(RELEASE)' 'Identifier: Packages' |
		awk -v suite="$codename" '$2 == suite && $1 ~ /debian/ { print $1; exit }')
	[ "$mirror" ] || return 2
	rm -rf "${roots:?}/$1"
	mkdir -p "$roots/$1.debs/partial"
	debootstrap --variant=minbase --include=make "$1" "$roots/$1" "$mirror" >"$work/log" 2>&1 || {
		tail -n 3 "$work/log"
		return 1
	}
	# dpkg need not sync to disk.
	echo force-unsafe-io >"$roots/$1/etc/dpkg/dpkg.cfg.d/unsafe-io"
	: >"$roots/$1.ready"
}

if [ "$(id -u)" != 0 ]; then
	report_skip 'builds on a fresh system' 'needs root'
	print_summary
	exit
fi
mkdir -p "$roots"
for suite in "$@"; do
	out=$PWD/build/fresh/$suite
	rm -rf "$out"
	mkdir -p "$out"
	rc=0
	fetch_root "$suite" >"$work/problems" || rc=$?
	if [ $rc = 2 ]; then
		report_skip "$suite: builds on a fresh system" 'this host has no Debian package source'
		continue
	fi
	if [ $rc != 0 ]; then
		[ -s "$work/problems" ] || echo 'debootstrap failed' >"$work/problems"
		report_result "$suite: the system installs"
		continue
	fi
	unshare -m sh "$here/fresh.sh" inside "$suite" "$programs" "$out" || echo 'the run failed' >"$work/problems"
	while IFS= read -r line; do
		count_outcome "$line"
	done <"$out/outcomes"
	[ -s "$out/outcomes" ] || report_result "$suite: the system starts"
	[ -x "$out/tests/run/run" ] || continue
	echo "Kernel programs from the compiler of $suite, on this kernel:"
	case $programs in
	some) TEST_SLOW=10 "$out/tests/run/run" every rules: sets 'hundreds of terms' || failed=$((failed + 1)) ;;
	all) "$out/tests/run/run" || failed=$((failed + 1)) ;;
	esac
done
print_summary
