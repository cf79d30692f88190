/* SPDX-License-Identifier: MIT */
/* Scenarios of errors: one clear line, the right exit code, no leftovers. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "base/array.h"
#include "obj/feature.h"
#include "sys/bpf.h"
#include "sys/priv.h"
#include "sys/tc.h"
#include "tests/net/net.h"

static struct sonde a;

/* Expects this exit code, one line with text on stderr, and no output. */
static void expect_line(int rc, const char *text)
{
	sonde_expect_line(&a, rc, text);
	CHECK(!a.len[0], "unexpected output: %s", a.out);
}

TEST(errors_usage, "errors_usage", 0, 30)
{
	static const struct {
		const char *text, *argv[6];
	} mistakes[] = {
		{ "did you mean count", { "sonde", "conut" } },
		{ "did you mean --install", { "sonde", "count", "--instal" } },
		{ "12abc", { "sonde", "count", "-I", "12abc" } },
		{ "-d", { "sonde", "count", "-d", "0" } },
		{ "cannot be used together", { "sonde", "count", "--install", "--read" } },
		{ "--install ends", { "sonde", "count", "--install", "--once" } },
		{ "unexpected argument tcp", { "sonde", "count", "tcp" } },
		{ "xml", { "sonde", "count", "-o", "xml" } },
		{ "-i", { "sonde", "count", "-i" } },
		{ "--all", { "sonde", "detach" } },
		{ "--all", { "sonde", "detach", "--all", "-i", "lo" } },
		{ "unexpected argument now", { "sonde", "demo", "now" } },
		{ "--depp", { "sonde", "doctor", "--depp" } },
	};

	for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
		sonde_start(&a, NULL, mistakes[i].argv);
		sonde_wait(&a);
		expect_line(2, mistakes[i].text);
	}
	CHECK(!SONDE_RUN(&a, "--help") && strstr(a.out, "count") && !a.len[1], "%s", a.err);
	CHECK(!SONDE_RUN(&a, "count", "--help") && strstr(a.out, "--install"), "%s", a.err);
}

SCENARIO(errors_unknown_interface, 30)
{
	SONDE_RUN(&a, "count", "-i", "nosuch0");
	expect_line(1, "nosuch0");
	SONDE_RUN(&a, "count", "-i", "a-name-that-is-far-too-long-for-an-interface");
	expect_line(1, "a-name-that-is-far-too-long");
	SONDE_RUN(&a, "count", "-i", "");
	CHECK(a.rc == 1 && lines_of(a.err) == 1, "an empty name: %d %s", a.rc, a.err);
	SONDE_RUN(&a, "count", "-i", "a\x1b[31m\nb");
	CHECK(a.rc == 1 && lines_of(a.err) == 1 && !strchr(a.err, 0x1b), "%s", a.err);
	SONDE_RUN(&a, "count", "--read", "-i", "nosuch0");
	expect_line(1, "nosuch0");
	SONDE_RUN(&a, "detach", "-i", "nosuch0");
	expect_line(1, "nosuch0");
}

SCENARIO(errors_foreign_xdp, 30)
{
	struct lab lab = { 0 };
	struct hooks h;

	lab_ready(&lab);
	foreign_xdp(&lab);
	SONDE_RUN(&a, "count", "-i", "sonde0");
	expect_line(1, "their_firewall");
	CHECK(strstr(a.err, "--at tc"), "no alternative is suggested: %s", a.err);
	SONDE_RUN(&a, "count", "--install", "-i", "sonde0");
	expect_line(1, "their_firewall");
	h = hooks_of(&lab.end[LAB_NEAR]);
	CHECK(h.ours == 0 && h.others == 1, "%u of ours, %u others", h.ours, h.others);
	CHECK(!SONDE_RUN(&a, "count", "--once", "-d", "10ms", "-i", "sonde0", "--at", "tc"),
	      "cannot count at tc: %s", a.err);
	/* When all interfaces are counted, this one is counted at tc, with a note. */
	CHECK(!SONDE_RUN(&a, "count", "--once", "-d", "10ms"), "%s", a.err);
	CHECK(strstr(a.err, "sonde0: counting incoming packets at tc"), "%s", a.err);
	h = hooks_of(&lab.end[LAB_NEAR]);
	CHECK(h.ours == 0 && h.others == 1, "%u of ours, %u others", h.ours, h.others);
}

SCENARIO(errors_foreign_stays, 30)
{
	struct lab lab = { 0 };
	struct lab_end *near = &lab.end[LAB_NEAR];
	struct tc_filter theirs = { .prio = 1, .handle = 1, .name = "theirs" };
	int fd, rc;

	lab_ready(&lab);
	theirs.ifindex = near->link.ifindex;
	CHECK(!SONDE_RUN(&a, "count", "--install", "-i", "sonde0"), "%s", a.err);
	fd = foreign_prog(BPF_PROG_TYPE_SCHED_CLS, "their_tc");
	if (!feature_try("tcx"))
		rc = bpf_prog_attach(fd, near->link.ifindex, SYS_BPF_TCX_EGRESS, 0);
	else
		rc = tc_filter_add(&near->nl, &theirs, fd);
	CHECK(!rc, "cannot attach a foreign program: %s", strerror(-rc));
	CHECK(!SONDE_RUN(&a, "status"), "%s", a.err);
	CHECK(strstr(a.out, "their_tc") && strstr(a.out, "other"), "%s", a.out);
	CHECK(!SONDE_RUN(&a, "detach", "--all"), "%s", a.err);
	CHECK(hooks_of(near).ours == 0 && hooks_of(near).others == 1,
	      "detached the wrong programs");
}

/* The second interface fails: the installation on the first is rolled back. */
SCENARIO(errors_partial_install, 30)
{
	struct lab lab = { 0 };
	struct lab_end *near = &lab.end[LAB_NEAR];

	lab_ready(&lab);
	foreign_xdp(&lab);
	CHECK(!link_add_veth(&near->nl, "first", "first1", near->netns),
	      "cannot create another pair");
	SONDE_RUN(&a, "count", "--install", "-i", "first", "-i", "sonde0");
	CHECK(a.rc == 1 && strstr(a.err, "their_firewall"), "%d %s", a.rc, a.err);
	CHECK(SONDE_RUN(&a, "count", "--read") == 1, "partly installed: %s", a.out);
	SONDE_RUN(&a, "count", "--install", "-i", "first", "-i", "nosuch0");
	CHECK(a.rc == 1 && strstr(a.err, "nosuch0"), "%d %s", a.rc, a.err);
	CHECK(SONDE_RUN(&a, "count", "--read") == 1, "partly installed: %s", a.out);
	expect_clean(&lab);
}

SCENARIO(errors_vanish, 30)
{
	struct lab lab = { 0 };
	struct lab_end *near = &lab.end[LAB_NEAR];

	lab_ready(&lab);
	SONDE_START(&a, "count", "--json", "--once", "-d", "1h", "-i", "sonde0");
	sonde_await_err(&a, "sonde0: in: ");
	CHECK(!lab_udp(&lab, 2, 10, 100, true), "cannot send");
	CHECK(!link_del(&near->nl, near->link.ifindex), "cannot delete the interface");
	CHECK(sonde_wait(&a) == 1, "exit code %d: %s", a.rc, a.err);
	CHECK(strstr(a.err, "sonde0: the interface is gone"), "%s", a.err);
	CHECK(JSON_SUM(a.out, "packets", "\"in\"", "\"udp\"") == 10, "wrong last numbers: %s",
	      a.out);
}

static void kill_live(const char *at)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	SONDE_START(&a, "count", "-i", "sonde0", "--at", at);
	sonde_await_err(&a, "sonde0: in: ");
	CHECK(hooks_of(&lab.end[LAB_NEAR]).ours == 2, "expected two programs");
	CHECK(sonde_stop(&a, SIGKILL) == 128 + SIGKILL, "not killed");
	expect_clean(&lab);
}

SCENARIO(errors_kill, 30)
{
	kill_live("xdp");
}

SCENARIO(errors_kill_clsact, 30)
{
	kill_live("clsact");
}

SCENARIO(errors_closed_pipe, 30)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	SONDE_START(&a, "count", "-i", "sonde0", "--once", "-d", "1h");
	sonde_await_err(&a, "sonde0: in: ");
	close(a.fd[0]);
	a.fd[0] = -1;
	CHECK(sonde_wait(&a) == 1, "exit code %d: %s", a.rc, a.err);
	CHECK(strstr(a.err, "standard output"), "%s", a.err);
	expect_clean(&lab);
}

static void close_stdout(void)
{
	close(STDOUT_FILENO);
}

SCENARIO(errors_closed_stdout, 30)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	sonde_start(&a, close_stdout,
		    (const char *const[]){ "sonde", "count", "-q", "-i", "sonde0", NULL });
	sonde_wait(&a);
	sonde_expect_line(&a, 1, "standard output");
	sonde_start(&a, close_stdout, (const char *const[]){ "sonde", "--help", NULL });
	CHECK(sonde_wait(&a) == 1, "exit code %d: %s", a.rc, a.err);
	expect_clean(&lab);
}

static int full; /* full(4): the machine may have no /dev */

static void full_stdout(void)
{
	dup2(full, STDOUT_FILENO);
}

SCENARIO(errors_full_disk, 30)
{
	static const char node[] = "/sonde-test-full";
	struct lab lab = { 0 };

	full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	if (full < 0) {
		unlink(node);
		CHECK(!mknod(node, S_IFCHR | 0600, makedev(1, 7)), "mknod: %s", strerror(errno));
		full = open(node, O_WRONLY | O_CLOEXEC);
		unlink(node);
	}
	CHECK(full >= 0, "full(4): %s", strerror(errno));
	lab_ready(&lab);
	sonde_start(&a, full_stdout,
		    (const char *const[]){ "sonde", "count", "-q", "-i", "sonde0", "-I", "10ms",
					   NULL });
	sonde_wait(&a);
	sonde_expect_line(&a, 1, "no space");
	expect_clean(&lab);
}

static void drop_all(void)
{
	if (priv_keep(0))
		_exit(126);
}

SCENARIO(errors_no_privilege, 30)
{
	static const char *const commands[][6] = {
		{ "sonde", "count", "-i", "lo" },
		{ "sonde", "count", "--install", "-i", "lo" },
		{ "sonde", "status" },
		{ "sonde", "detach", "--all" },
		{ "sonde", "demo" },
	};

	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		sonde_start(&a, drop_all, commands[i]);
		sonde_wait(&a);
		expect_line(1, "CAP_");
	}
	sonde_start(&a, drop_all, (const char *const[]){ "sonde", "doctor", NULL });
	CHECK(sonde_wait(&a) == 1 && strstr(a.out, "CAP_BPF"), "%d %s", a.rc, a.err);
}

/* Before Linux 5.11 maps exceed the usual memory limit; raising it needs CAP_SYS_RESOURCE. */
#define KEEP(caps) priv_keep((caps) | PRIV(CAP_SYS_RESOURCE))

/* The capabilities that container tools give: CAP_SYS_ADMIN in place of CAP_BPF. */
static void keep_admin(void)
{
	if (KEEP(PRIV(CAP_SYS_ADMIN) | PRIV(CAP_NET_ADMIN)))
		_exit(126);
}

static void keep_no_perfmon(void)
{
	if (KEEP(PRIV(CAP_BPF) | PRIV(CAP_NET_ADMIN)))
		_exit(126);
}

/* Only what a live count needs: it cannot look up installed programs. */
static void keep_three(void)
{
	if (KEEP(PRIV(CAP_BPF) | PRIV(CAP_NET_ADMIN) | PRIV(CAP_PERFMON)))
		_exit(126);
}

SCENARIO(errors_some_privilege, 30)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	sonde_start(&a, keep_admin,
		    (const char *const[]){ "sonde", "count", "-1", "-d", "20ms", NULL });
	CHECK(!sonde_wait(&a), "fails with SYS_ADMIN and NET_ADMIN: %s", a.err);
	sonde_start(&a, keep_three,
		    (const char *const[]){ "sonde", "count", "-1", "-d", "20ms", NULL });
	CHECK(!sonde_wait(&a), "fails with BPF, NET_ADMIN and PERFMON: %s", a.err);
	sonde_start(&a, keep_no_perfmon,
		    (const char *const[]){ "sonde", "count", "-i", "sonde0", NULL });
	sonde_wait(&a);
	expect_line(1, "CAP_PERFMON");
	CHECK(!SONDE_RUN(&a, "count", "--install", "-i", "sonde0", "--at", "tc"), "%s", a.err);
	sonde_start(&a, keep_three,
		    (const char *const[]){ "sonde", "count", "--install", "-i", "sonde0", "--at",
					   "tc", NULL });
	CHECK(sonde_wait(&a) == 1 && lines_of(a.err) == 1,
	      "installed without looking up existing programs: %s", a.err);
	CHECK(hooks_of(&lab.end[LAB_NEAR]).ours == 2, "expected two programs");
	CHECK(!SONDE_RUN(&a, "detach", "--all"), "%s", a.err);
	expect_clean(&lab);
}

/* Makes bpf(2) fail with err, by a seccomp filter. ENOSYS: as a kernel without BPF. */
static void deny_bpf(uint32_t err)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | err),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = 4, .filter = code };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
		_exit(126);
}

static void no_bpf(void)
{
	deny_bpf(ENOSYS);
}

static void forbid_bpf(void)
{
	deny_bpf(EPERM);
}

/* A container's seccomp profile must not be reported as the memlock limit. */
SCENARIO(errors_forbidden, 30)
{
	sonde_start(&a, forbid_bpf, (const char *const[]){ "sonde", "count", "-i", "lo", NULL });
	sonde_wait(&a);
	if (a.rc == 126)
		SKIP("this kernel has no seccomp filters");
	sonde_expect_line(&a, 1, "seccomp profile");
	CHECK(!strstr(a.err, "memlock"), "%s", a.err);
	sonde_start(&a, forbid_bpf, (const char *const[]){ "sonde", "doctor", NULL });
	CHECK(sonde_wait(&a) == 1 && strstr(a.out, "seccomp profile"), "%d %s", a.rc, a.out);
}

SCENARIO(errors_no_bpf, 30)
{
	sonde_start(&a, no_bpf, (const char *const[]){ "sonde", "count", "-i", "lo", NULL });
	sonde_wait(&a);
	if (a.rc == 126)
		SKIP("this kernel has no seccomp filters");
	expect_line(1, "no bpf(2)");
	sonde_start(&a, no_bpf, (const char *const[]){ "sonde", "status", NULL });
	sonde_wait(&a);
	CHECK(a.rc == 1 && lines_of(a.err) == 1, "%d %s", a.rc, a.err);
	sonde_start(&a, no_bpf, (const char *const[]){ "sonde", "doctor", NULL });
	CHECK(sonde_wait(&a) == 1 && strstr(a.out, "no"), "%d %s", a.rc, a.err);
}

/* A low limit that it cannot raise, like the default of old kernels in a container. */
static void lock_little(void)
{
	struct rlimit little = { 16384, 16384 };

	if (setrlimit(RLIMIT_MEMLOCK, &little) ||
	    priv_keep(PRIV(CAP_SYS_ADMIN) | PRIV(CAP_NET_ADMIN)))
		_exit(126);
}

/* Before Linux 5.11 maps are charged to the limit on locked memory. */
SCENARIO(errors_memlock, 30)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	sonde_start(&a, lock_little,
		    (const char *const[]){ "sonde", "count", "--once", "-d", "10ms", "-i", "sonde0",
					   NULL });
	sonde_wait(&a);
	if (a.rc) {
		expect_line(1, "memlock limit");
		CHECK(strstr(a.err, "ulimit -l"), "%s", a.err);
	}
	expect_clean(&lab);
}
