/* SPDX-License-Identifier: MIT */
/* Scenarios of the other commands, and of minimal hosts. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/net/net.h"

static struct sonde a;
static int binary; /* the program under test, copied into the empty root */
static const char *const *empty_argv;

/* Executes sonde in an empty root: nothing mounted, no /dev, no /proc, no other file. (Not by
 * execveat(2) of an unlinked file: some security modules need the path of an executable.) */
static void enter_empty_root(void)
{
	off_t start = 0; /* the descriptor's position is shared */
	struct stat st;
	int copy;

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/tmp", "tmpfs", 0, NULL) || chdir("/tmp") || chroot("/tmp"))
		_exit(125);
	copy = open("/sonde", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	if (copy < 0 || fstat(binary, &st) ||
	    sendfile(copy, binary, &start, (size_t)st.st_size) != st.st_size || close(copy))
		_exit(125);
	execve("/sonde", (char *const *)(uintptr_t)empty_argv, (char *const[]){ NULL });
	_exit(124);
}

static int run_empty(const char *const *argv)
{
	empty_argv = argv;
	sonde_start(&a, enter_empty_root, argv);
	return sonde_wait(&a);
}

SCENARIO(misc_empty_root, 60)
{
	const char *path = getenv("SONDE");
	struct lab lab = { 0 };

	if (getenv("SAN") && *getenv("SAN"))
		SKIP("a build with sanitizers is not static");
	binary = open(path ? path : "build/sonde", O_RDONLY | O_CLOEXEC);
	CHECK(binary >= 0, "cannot open the program: %s", strerror(errno));
	mkdir("/tmp", 0777);
	lab_ready(&lab);
	CHECK(!run_empty((const char *const[]){ "sonde", "doctor", "--deep", NULL }), "%d %s", a.rc,
	      a.err);
	CHECK(!strstr(a.out, "WRONG"), "%s", a.out);
	CHECK(!run_empty((const char *const[]){ "sonde", "demo", "-q", "-d", "100ms", NULL }),
	      "%d %s%s", a.rc, a.out, a.err);
	CHECK(!run_empty((const char *const[]){ "sonde", "count", "--install", NULL }), "%d %s",
	      a.rc, a.err);
	CHECK(!lab_udp(&lab, 2, 10, 100, true), "cannot send");
	CHECK(!run_empty((const char *const[]){ "sonde", "count", "--read", "--json", NULL }),
	      "%d %s", a.rc, a.err);
	CHECK(JSON_SUM(a.out, "packets", "\"in\"", "\"udp\"") == 10, "%s", a.out);
	CHECK(!run_empty((const char *const[]){ "sonde", "status", NULL }), "%d %s", a.rc, a.err);
	CHECK(strstr(a.out, "sonde_gate_out"), "%s", a.out);
	CHECK(!run_empty((const char *const[]){ "sonde", "detach", "--all", NULL }), "%d %s", a.rc,
	      a.err);
	expect_clean(&lab);
}

SCENARIO(misc_demo, 30)
{
	CHECK(!SONDE_RUN(&a, "demo", "-d", "1500ms"), "%s%s", a.out, a.err);
	CHECK(strstr(a.out, "all counts match"), "%s", a.out);
	CHECK(strstr(a.out, "kernel rx") && strstr(a.out, "icmp"), "%s", a.out);
	CHECK(!strstr(a.out, "NO"), "%s", a.out);
}

SCENARIO(misc_doctor, 30)
{
	CHECK(!SONDE_RUN(&a, "doctor", "--deep", "--json"), "%s%s", a.out, a.err);
	CHECK(strstr(a.out, "\"capability\":\"load programs\",\"available\":true"), "%s", a.out);
	CHECK(strstr(a.out, "\"hook\":\"xdp generic\",\"direction\":\"in\",\"sent_packets\":100,"
			    "\"seen_packets\":100,"
			    "\"result\":\"ok\""),
	      "%s", a.out);
	CHECK(!strstr(a.out, "WRONG"), "%s", a.out);
}

static int add_alternative_name(struct lab_end *end, const char *name)
{
	struct ifinfomsg ifi = { .ifi_index = end->link.ifindex };
	struct nl_msg m;
	size_t props;

	nl_begin(&m, RTM_NEWLINKPROP, NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND, &ifi, sizeof(ifi));
	props = nl_nest(&m, IFLA_PROP_LIST);
	nl_put_str(&m, IFLA_ALT_IFNAME, name);
	nl_nest_end(&m, props);
	return nl_call(&end->nl, &m, NULL, NULL);
}

SCENARIO(misc_alternative_name, 60)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	CHECK(!add_alternative_name(&lab.end[LAB_NEAR], "uplink"), "cannot add a name");
	CHECK(!SONDE_RUN(&a, "filter", "add", "-q", "-i", "uplink", "--no-ssh", "drop", "icmp"),
	      "%s", a.err);
	CHECK(!SONDE_RUN(&a, "filter", "list", "-i", "uplink", "--json"), "%s", a.err);
	CHECK(strstr(a.out, "\"interface\":\"sonde0\""), "%s", a.out);
	CHECK(!SONDE_RUN(&a, "status", "-i", "uplink", "--json"), "%s", a.err);
	CHECK(strstr(a.out, "\"interface\":\"sonde0\""), "%s", a.out);
	CHECK(SONDE_RUN(&a, "detach", "-i", "uplink", "-i", "other") == 1, "%s", a.err);
	CHECK(hooks_of(&lab.end[LAB_NEAR]).ours == 1, "a wrong name detached what others name");
	CHECK(!SONDE_RUN(&a, "detach", "-i", "uplink"), "%s", a.err);
	expect_clean(&lab);
}

SCENARIO(misc_status, 30)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	CHECK(!SONDE_RUN(&a, "count", "--install", "-i", "sonde0", "-i", "lo"), "%s", a.err);
	CHECK(!SONDE_RUN(&a, "status", "--json"), "%s", a.err);
	CHECK(strstr(a.out, "\"name\":\"sonde_gate_xdp\",\"owner\":\"sonde\",\"type\":\"xdp\","
			    "\"interface\":\"sonde0\",\"direction\":\"in\",\"hook\":\"xdp "),
	      "%s", a.out);
	CHECK(strstr(a.out, "\"held_by\":\"installed\""), "%s", a.out);
	CHECK(JSON_SUM(a.out, "memory_bytes", "\"sonde0\"") > 0, "%s", a.out);
	SONDE_START(&a, "status", "--stats", "-d", "300ms", "--json");
	do
		CHECK(!lab_udp(&lab, 2, 50, 100, true), "cannot send");
	while (sonde_poll(&a, 0));
	CHECK(!sonde_wait(&a), "%s", a.err);
	CHECK(JSON_SUM(a.out, "runs", "sonde_gate_xdp", "\"sonde0\"") >= 50, "%s", a.out);
	CHECK(strstr(a.out, "\"mean_seconds\":0.000"), "%s", a.out);
	CHECK(!SONDE_RUN(&a, "detach", "--all"), "%s", a.err);
	expect_clean(&lab);
}

SCENARIO(misc_detach_one, 30)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	CHECK(!SONDE_RUN(&a, "count", "--install", "-i", "sonde0", "-i", "lo"), "%s", a.err);
	CHECK(!SONDE_RUN(&a, "detach", "-i", "sonde0"), "%s", a.err);
	CHECK(hooks_of(&lab.end[LAB_NEAR]).ours == 0, "sonde0 still has programs");
	CHECK(!SONDE_RUN(&a, "count", "--read", "-i", "lo"), "the counters of lo are lost: %s",
	      a.err);
	CHECK(SONDE_RUN(&a, "count", "--read", "-i", "sonde0") == 1, "sonde0 still has counters");
	CHECK(!SONDE_RUN(&a, "detach", "-i", "lo"), "%s", a.err);
	CHECK(SONDE_RUN(&a, "detach", "--all") == 1 && strstr(a.err, "no program"), "%s", a.err);
}
