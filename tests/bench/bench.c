/* SPDX-License-Identifier: MIT */
/* Compares sonde with its peers in one run: bench BUILD_DIR [RUNS]. Runs in network and mount
 * namespaces of its own, which end with it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "base/array.h"
#include "tests/bench/bench.h"
#include "base/err.h"

enum { RUNS = 40, RUNS_MIN = 30, ROUNDS = 9 };

/* /usr/sbin is not in every user's PATH. */
static const char *find_bpftool(void)
{
	static const char *const paths[] = { "/usr/local/sbin/bpftool", "/usr/sbin/bpftool",
					     "/sbin/bpftool", "/usr/local/bin/bpftool",
					     "/usr/bin/bpftool" };

	for (unsigned int i = 0; i < ARRAY_LEN(paths); i++)
		if (!access(paths[i], X_OK))
			return paths[i];
	return NULL;
}

/* Some distributions install a shell script here. Its shell would be measured, too. */
static bool is_script(const char *path)
{
	char mark[2] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	if (read(fd, mark, sizeof(mark)) != sizeof(mark))
		mark[0] = '\0';
	close(fd);
	return mark[0] == '#' && mark[1] == '!';
}

/* Finds the peers. Reports and skips those that are missing. */
static int find_peers(void)
{
	const char *bpftool = find_bpftool();

	if (bpftool && is_script(bpftool))
		printf("%s is a script: its results include the shell\n", bpftool);
	for (int i = 0; i < CONTENDERS; i++) {
		struct contender *c = &contenders[i];

		for (int s = 0; bpftool && s < STEPS_MAX; s++)
			if (c->steps[s][0] && !strcmp(c->steps[s][0], "bpftool"))
				c->steps[s][0] = bpftool;
		c->missing = access(c->steps[0][0], X_OK) || (c->object && access(c->object, R_OK));
		if (c->missing && !c->package)
			return fail(-ENOENT, "%s is missing: build it first", c->steps[0][0]);
		if (c->missing && c->group == GROUP_XDP)
			printf("not installed: %s (package %s)\n", c->name, c->package);
	}
	return 0;
}

static void print_first_line(const char *command, const char *before)
{
	char line[128] = "";
	FILE *f = popen(command, "r");

	if (!f)
		return;
	if (fgets(line, sizeof(line), f))
		printf("%s%.*s", before, (int)strcspn(line, "\n"), line);
	pclose(f);
}

static void print_header(void)
{
	struct utsname un = { 0 };
	char command[128];

	uname(&un);
	printf("sonde bench: Linux %s %s, %ld CPUs", un.release, un.machine,
	       sysconf(_SC_NPROCESSORS_ONLN));
	print_first_line("sed -n 's/^model name[^:]*: //p' /proc/cpuinfo", ", ");
	if (!contenders[BPFTOOL_XDP].missing) {
		snprintf(command, sizeof(command), "%s version",
			 contenders[BPFTOOL_XDP].steps[0][0]);
		print_first_line(command, "; ");
	}
	printf("\n\n");
}

/* Enters a network namespace without interfaces, and mounts a private bpffs for bpftool's pins. */
static int enter_namespaces(void)
{
	int fd;

	if (unshare(CLONE_NEWNET | CLONE_NEWNS))
		return fail_errno(-errno, "cannot enter private namespaces (needs root)");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return fail_errno(-errno, "cannot make mounts private");
	if (mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL))
		return fail_errno(-errno, "cannot mount a bpffs on /sys/fs/bpf");
	/* Prevents neighbour discovery during a run. If that fails, the results are only noisier.
	 */
	fd = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		if (write(fd, "1", 1) != 1)
			note("cannot disable IPv6 in the private network: results are noisier");
		close(fd);
	}
	return 0;
}

static void print_verdict(const char *what, bool measured, bool met, double value, const char *unit)
{
	if (measured)
		printf("  %-62s %8.1f %-4s %s\n", what, value, unit, met ? "met" : "MISSED");
	else
		printf("  %-62s %8s %-4s not measured\n", what, "-", "");
}

static void print_verdicts(void)
{
	double sonde = series_spread(&contenders[SONDE_XDP].cpu_ms).median;
	double bpftool = series_spread(&contenders[BPFTOOL_XDP].cpu_ms).median;
	double ratio = sonde > 0 ? bpftool / sonde : 0;
	char size_goal[64];
	long peak = 0;

	for (int i = 0; i < CONTENDERS; i++)
		if (!strcmp(contenders[i].steps[0][0], "./sonde") && contenders[i].peak_kib > peak)
			peak = contenders[i].peak_kib;
	printf("Goals\n");
	print_verdict("exec to attached: at least 3 times less CPU than bpftool", ratio > 0,
		      ratio >= 3, ratio, "x");
	/* Not a goal: shows whether the loader or the program is slow. */
	if (ratio > 0)
		printf("  %-62s %8.1f x\n", "  (without the kernel's share of loading)",
		       (bpftool - kernel_xdp_ms) / (sonde - kernel_xdp_ms));
	print_verdict("peak memory of any command above: under 2048 KiB", peak > 0, peak < 2048,
		      (double)peak, "KiB");
	snprintf(size_goal, sizeof(size_goal), "binary: under %d KiB", BINARY_SIZE_LIMIT / 1024);
	print_verdict(size_goal, true, size_sonde_kib * 1024 < BINARY_SIZE_LIMIT, size_sonde_kib,
		      "KiB");
	print_verdict("XDP, common packets: within 25 ns of an empty program", true,
		      packet_common_ns <= 25, packet_common_ns, "ns");
	print_verdict("XDP, another protocol: within 25 ns of an empty program", true,
		      packet_other_ns <= 25, packet_other_ns, "ns");
}

static int run_bench(unsigned int runs)
{
	struct nl nl = { 0 };
	int rc = enter_namespaces();

	if (!rc)
		rc = find_peers();
	if (!rc) {
		print_header();
		rc = nl_open(&nl, 0);
		if (rc)
			fail_errno(rc, "netlink");
	}
	if (!rc)
		rc = bench_exec(&nl, runs);
	if (!rc)
		rc = bench_memory(&nl);
	if (!rc)
		rc = bench_size();
	nl_close(&nl);
	if (!rc)
		rc = bench_packets(ROUNDS);
	if (!rc)
		print_verdicts();
	return rc;
}

int main(int argc, char **argv)
{
	long runs = argc == 3 ? strtol(argv[2], NULL, 10) : RUNS;

	err_set_command("bench");
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 2 || argc > 3 || runs < RUNS_MIN || runs > SERIES_MAX) {
		fprintf(stderr, "usage: bench BUILD_DIR [RUNS, %d to %d]\n", RUNS_MIN, SERIES_MAX);
		return 2;
	}
	if (chdir(argv[1])) {
		fail_errno(-errno, "%s", argv[1]);
		return 1;
	}
	return run_bench((unsigned int)runs) ? 1 : 0;
}
