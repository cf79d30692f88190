/* SPDX-License-Identifier: MIT */
/* Scenarios of errors in sonde filter: no partial changes, no lockout, clear messages. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/array.h"
#include "sys/priv.h"
#include "tests/net/file.h"
#include "tests/net/net.h"
#include "tests/net/rules.h"

static struct sonde a, b;

static const char old_rules[] = "sonde0 in drop old: tcp dst port 7\n";

/* Brings the lab up with one rule on the near side. */
static void open_with_rule(struct lab *lab)
{
	lab_ready(lab);
	FILTER(&a, "add", "-i", "sonde0", "--name", "old", "drop", "tcp dst port 7");
}

static void close_with_rule(struct lab *lab)
{
	FILTER(&a, "clear", "-i", "sonde0");
	expect_clean(lab);
}

/* A foreign XDP program: tc is used, with a note, unless --at xdp is given. */
SCENARIO(filter_foreign_xdp, 60)
{
	struct lab lab = { 0 };
	struct hooks h;

	lab_ready(&lab);
	lab_silence(&lab);
	foreign_xdp(&lab);
	SONDE_RUN(&a, "filter", "add", "-i", "sonde0", "--at", "xdp", "drop", "udp");
	sonde_expect_line(&a, 1, "their_firewall");
	CHECK(strstr(a.err, "--at tc"), "no alternative is suggested: %s", a.err);
	h = hooks_of(&lab.end[LAB_NEAR]);
	CHECK(h.ours == 0 && h.others == 1, "%u of ours, %u others", h.ours, h.others);
	FILTER(&a, "add", "-i", "sonde0", "--name", "x", "allow", "udp");
	CHECK(strstr(a.err, "sonde0: in: tcx (xdp") || strstr(a.err, "sonde0: in: clsact (xdp"),
	      "the reason is missing: %s", a.err);
	CHECK(!lab_udp(&lab, AF_INET, 4, 100, true), "cannot send");
	CHECK(RULES_HITS("\"x\"") == 4, "wrong hits");
	h = hooks_of(&lab.end[LAB_NEAR]);
	CHECK(h.ours == 1 && h.others == 1, "%u of ours, %u others", h.ours, h.others);
	FILTER(&a, "clear", "-i", "sonde0");
	h = hooks_of(&lab.end[LAB_NEAR]);
	CHECK(h.ours == 0 && h.others == 1, "%u of ours, %u others", h.ours, h.others);
}

/* If the second of two interfaces fails, the first keeps its rules. */
SCENARIO(filter_partial, 60)
{
	static const char before[] = "first in allow one: udp\n";
	struct lab lab = { 0 };
	struct lab_end *near = &lab.end[LAB_NEAR];

	lab_ready(&lab);
	foreign_xdp(&lab);
	CHECK(!link_add_veth(&near->nl, "first", "first1", near->netns),
	      "cannot create another pair");
#define BOTH "-i", "first", "-i", "sonde0", "--at", "xdp"
	FILTER_FAILS(&a, "add", BOTH, "drop", "udp");
	CHECK(strstr(a.err, "their_firewall"), "%s", a.err);
	rules_expect("");
	FILTER(&a, "add", "-i", "first", "--at", "xdp", "--name", "one", "allow", "udp");
	FILTER_FAILS(&a, "add", BOTH, "drop", "udp");
	rules_expect(before);
	FILTER_FAILS(&a, "default", BOTH, "drop");
	rules_expect(before);
	FILTER_FAILS(&a, "replace", BOTH, "-f", rules_file("rules", "drop tcp\nout drop tcp"));
	rules_expect(before);
	FILTER_FAILS(&a, "add", BOTH, "--out", "--confirm", "1h", "-i", "nosuch0", "drop");
	rules_expect(before);
#undef BOTH
	FILTER(&a, "clear", "-i", "first", "-i", "sonde0");
	rules_expect("");
	expect_clean(&lab);
}

SCENARIO(filter_bad_file, 60)
{
	static const struct {
		const char *text, *error;
	} bad[] = {
		{ "allow udp\n  deny tcp\n", "rules:2:3: deny: unknown action" },
		{ "drop tcp and\n", "rules:1:13: " },
		{ "drop udp\n7 drop\n7 drop", "rules:3:1: rule 7 already exists" },
		{ "drop dns example.com", "rules:1:6: rules cannot match names in packets" },
		{ "default drop\ndrop src set nowhere.txt", "rules:2:14: " },
		{ "drop ifname nosuch0", "rules:1:13: " },
	};
	struct lab lab = { 0 };

	open_with_rule(&lab);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		SONDE_RUN(&a, "filter", "replace", "-i", "sonde0", "-f",
			  rules_file("rules", bad[i].text));
		sonde_expect_line(&a, 1, bad[i].error);
		rules_expect(old_rules);
	}
	SONDE_RUN(&a, "filter", "replace", "-i", "sonde0", "-f", "/nowhere/at/all");
	sonde_expect_line(&a, 1, "/nowhere/at/all");
	rules_expect(old_rules);
	close_with_rule(&lab);
}

SCENARIO(filter_usage, 60)
{
	static const struct {
		const char *text, *argv[10];
	} mistakes[] = {
		{ "did you mean add", { "sonde", "filter", "ad" } },
		{ "-i IFACE", { "sonde", "filter", "add", "drop" } },
		{ "operand", { "sonde", "filter", "add", "-i", "lo" } },
		{ "block", { "sonde", "filter", "add", "-i", "lo", "block", "tcp" } },
		{ "one for outgoing",
		  { "sonde", "filter", "add", "-i", "lo", "--in", "--out", "drop" } },
		{ "default is allow or drop", { "sonde", "filter", "default", "-i", "lo", "no" } },
		{ "-f FILE", { "sonde", "filter", "replace", "-i", "lo" } },
		{ "unexpected argument lo", { "sonde", "filter", "list", "lo" } },
		{ "not an option", { "sonde", "filter", "clear", "-i", "lo", "all" } },
		{ "--at", { "sonde", "filter", "add", "-i", "lo", "--at", "sky", "drop" } },
		{ "--confirm", { "sonde", "filter", "add", "-i", "lo", "--confirm", "x", "drop" } },
		{ "-i IFACE", { "sonde", "filter", "confirm" } },
	};

	for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
		sonde_start(&a, NULL, mistakes[i].argv);
		sonde_wait(&a);
		CHECK(a.rc == 2 && a.len[1] && !a.len[0], "'%s': %d %s", mistakes[i].text, a.rc,
		      a.err);
	}
	FILTER_FAILS(&a, "add", "-i", "nosuch0", "drop");
	sonde_expect_line(&a, 1, "no interface nosuch0");
	FILTER_FAILS(&a, "list", "-i", "nosuch0");
	sonde_expect_line(&a, 1, "no interface nosuch0");
}

static void start_confirm(const char *time)
{
	SONDE_START(&b, "filter", "add", "-i", "sonde0", "--confirm", time, "--name", "new", "drop",
		    "udp");
	sonde_await_err(&b, "the new rules are active");
}

static const char both_rules[] = "sonde0 in drop old: tcp dst port 7\nsonde0 in drop new: udp\n";

/* Unconfirmed changes are undone: after the time, on a signal, and when the waiting process
 * ends. */
SCENARIO(filter_unconfirmed, 60)
{
	struct lab lab = { 0 };

	open_with_rule(&lab);
	start_confirm("300ms");
	CHECK(sonde_wait(&b) == 1 && strstr(b.err, "the change was undone"), "%d %s", b.rc, b.err);
	rules_expect(old_rules);
	start_confirm("1h");
	rules_expect(both_rules);
	CHECK(sonde_stop(&b, SIGINT) == 1 && strstr(b.err, "the change was undone"), "%d %s", b.rc,
	      b.err);
	rules_expect(old_rules);
	start_confirm("1h");
	CHECK(sonde_stop(&b, SIGHUP) == 1, "%d %s", b.rc, b.err);
	rules_expect(old_rules);
	/* The deadline applies even if the waiting process is killed. */
	start_confirm("2s");
	kill(b.pid, SIGKILL);
	CHECK(sonde_wait(&b) == 128 + SIGKILL, "%d", b.rc);
	AWAIT(!strcmp(rules_installed(), old_rules), "the rules still exist");
	FILTER(&a, "clear", "-i", "sonde0");
	/* Without rules before, none are left. */
	start_confirm("300ms");
	CHECK(sonde_wait(&b) == 1, "%s", b.err);
	expect_clean(&lab);
}

SCENARIO(filter_confirmed, 60)
{
	struct lab lab = { 0 };

	open_with_rule(&lab);
	SONDE_RUN(&a, "filter", "confirm", "-i", "sonde0");
	sonde_expect_line(&a, 1, "no change is waiting");
	start_confirm("1h");
	/* Meanwhile no other process can change the rules. */
	SONDE_RUN(&a, "filter", "add", "-i", "sonde0", "drop", "icmp");
	sonde_expect_line(&a, 1, "another sonde is changing this interface");
	FILTER(&a, "confirm", "-i", "sonde0");
	CHECK(!sonde_wait(&b) && strstr(b.err, "confirmed"), "%d %s", b.rc, b.err);
	rules_expect(both_rules);
	/* Confirming works after the waiting process was killed. */
	FILTER(&a, "del", "-i", "sonde0", "new");
	start_confirm("1h");
	kill(b.pid, SIGKILL);
	FILTER(&a, "confirm", "-i", "sonde0");
	CHECK(sonde_wait(&b) == 128 + SIGKILL, "%d", b.rc);
	rules_expect(both_rules);
	close_with_rule(&lab);
}

static const char session[] = "SSH_CONNECTION=192.0.2.1 50000 192.0.2.2 22";

static void have_session(void)
{
	putenv((char *)(uintptr_t)session);
}

static void have_session_ipv6(void)
{
	setenv("SSH_CONNECTION", "fe80::7%eth0 50000 fe80::1%eth0 22", 1);
}

static void have_none(void)
{
	unsetenv("SSH_CONNECTION");
}

static const char *default_args[] = { "sonde",  "filter", "default", "-i",
				      "sonde1", "drop",   NULL,      NULL };

/* Other processes see the environment that the process started with, or the memory that
 * prctl(PR_SET_MM) names, if the kernel has it. */
static bool show_session(void)
{
	static char here[sizeof(session)];
	char *begin = environ[0], *end = begin;

	for (char **at = environ; *at && *at == end; at++)
		end += strlen(*at) + 1;
	memcpy(here, session, sizeof(session));
	if ((size_t)(end - begin) < sizeof(session))
		return !prctl(PR_SET_MM, PR_SET_MM_ENV_START, here, 0, 0) &&
		       !prctl(PR_SET_MM, PR_SET_MM_ENV_END, here + sizeof(here), 0, 0);
	memset(begin, 0, (size_t)(end - begin));
	memcpy(begin, session, sizeof(session));
	return true;
}

/* As with sudo: the parent has the variable, the child does not. */
static void parent_has_session(void)
{
	const char *path = getenv("SONDE");
	int status;
	pid_t pid;

	path = strdup(path ? path : "build/sonde");
	if (!path || !show_session())
		_exit(77);
	pid = fork();
	if (pid > 0 && waitpid(pid, &status, 0) == pid)
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 99);
	execve(path, (char **)(uintptr_t)default_args, (char *[]){ NULL });
	_exit(127);
}

/* The SSH session of the user stays allowed. */
SCENARIO(filter_ssh, 60)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	lab_enter(&lab, LAB_FAR);
	sonde_start(&a, have_session, default_args);
	CHECK(!sonde_wait(&a), "%s", a.err);
	rules_expect("sonde1 in allow ssh-session: tcp and src host 192.0.2.1 and dst port 22\n"
		     "sonde1 in drop default: \n");
	/* Again: already allowed. */
	sonde_start(&a, have_session, default_args);
	CHECK(!sonde_wait(&a) && !a.len[1], "%d %s", a.rc, a.err);
	FILTER(&a, "test", "-i", "sonde1", "tcp", "192.0.2.1:50000", "192.0.2.2:22", ".");
	FILTER(&a, "clear", "-i", "sonde1");
	sonde_start(&a, have_session_ipv6, default_args);
	CHECK(!sonde_wait(&a) && strstr(a.err, "from fe80::7 is"), "%d %s", a.rc, a.err);
	FILTER(&a, "clear", "-i", "sonde1");
	default_args[6] = "--no-ssh";
	sonde_start(&a, have_session, default_args);
	CHECK(!sonde_wait(&a), "%s", a.err);
	rules_expect("sonde1 in drop default: \n");
	FILTER(&a, "clear", "-i", "sonde1");
	lab_enter(&lab, LAB_NEAR);
	expect_clean(&lab);
}

SCENARIO(filter_ssh_sudo, 60)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	lab_enter(&lab, LAB_FAR);
	sonde_start(&a, parent_has_session, default_args);
	if (sonde_wait(&a) == 77)
		SKIP("this kernel has no PR_SET_MM for the environment");
	CHECK(!a.rc && strstr(a.err, "the SSH session from 192.0.2.1 is allowed first by rule"),
	      "%d %s", a.rc, a.err);
	FILTER(&a, "test", "-i", "sonde1", "tcp", "192.0.2.1:50000", "192.0.2.2:22", ".");
	CHECK(SONDE_RUN(&a, "filter", "test", "--exit-code", "-i", "sonde1", "tcp",
			"192.0.2.3:50000", "192.0.2.2:22") == 1,
	      "other sources are allowed");
	FILTER(&a, "clear", "-i", "sonde1");
	lab_enter(&lab, LAB_NEAR);
	expect_clean(&lab);
}

/* A rule that does not affect the session needs no rule before it. */
SCENARIO(filter_ssh_unaffected, 60)
{
	static const char *const args[] = { "sonde",  "filter", "add", "-i",
					    "sonde1", "drop",   "udp", NULL };
	struct lab lab = { 0 };

	lab_ready(&lab);
	lab_enter(&lab, LAB_FAR);
	sonde_start(&a, have_session, args);
	CHECK(!sonde_wait(&a), "%s", a.err);
	rules_expect("sonde1 in drop: udp\n");
	sonde_start(&a, have_none, args);
	CHECK(!sonde_wait(&a), "%s", a.err);
	FILTER(&a, "clear", "-i", "sonde1");
	lab_enter(&lab, LAB_NEAR);
	expect_clean(&lab);
}

/* Concurrent changes: each succeeds or reports that it failed, and none undoes another. */
SCENARIO(filter_concurrent, 60)
{
	enum { AT_ONCE = 6, ROUNDS = 4 };
	static struct sonde each[AT_ONCE];
	struct lab lab = { 0 };
	int worked = 0;

	lab_ready(&lab);
	for (int round = 0; round < ROUNDS; round++) {
		char name[16];

		for (int i = 0; i < AT_ONCE; i++) {
			snprintf(name, sizeof(name), "r%d-%d", round, i);
			SONDE_START(&each[i], "filter", "add", "-i", "sonde0", "--name", name,
				    "drop", "tcp");
		}
		for (int i = 0; i < AT_ONCE; i++) {
			snprintf(name, sizeof(name), " r%d-%d:", round, i);
			if (sonde_wait(&each[i]))
				sonde_expect_line(&each[i], 1,
						  "another sonde is changing this interface");
			worked += !each[i].rc;
			CHECK(!strstr(rules_installed(), name) == (each[i].rc != 0), "%s %d: %s",
			      name, each[i].rc, rules_installed());
		}
	}
	CHECK((int)lines_of(rules_installed()) == worked && worked >= ROUNDS,
	      "%d succeeded, rules: %s", worked, rules_installed());
	close_with_rule(&lab);
}

/* The interface is deleted at any time during a change. */
SCENARIO(filter_vanish, 60)
{
	struct lab lab = { 0 };
	struct lab_end *near = &lab.end[LAB_NEAR];
	struct link link;

	lab_ready(&lab);
	for (unsigned int i = 0; i < 24 / test_slow() + 3; i++) {
		CHECK(!link_add_veth(&near->nl, "first", "first1", near->netns),
		      "cannot create another pair");
		CHECK(!link_get(&near->nl, "first", 0, &link), "cannot find first");
		SONDE_START(&a, "filter", "add", "-i", "first", "drop", "tcp and not port 80");
		nap_ms(i * 2);
		CHECK(!link_del(&near->nl, link.ifindex), "cannot delete the interface");
		sonde_wait(&a);
		CHECK(a.rc == 0 || (a.rc == 1 && lines_of(a.err) >= 1), "%d %s", a.rc, a.err);
	}
	CHECK(!link_add_veth(&near->nl, "first", "first1", near->netns),
	      "cannot create another pair");
	CHECK(!link_get(&near->nl, "first", 0, &link), "cannot find first");
	SONDE_START(&a, "filter", "add", "-i", "first", "--confirm", "1h", "drop", "tcp");
	sonde_await_err(&a, "the new rules are active");
	CHECK(!link_del(&near->nl, link.ifindex), "cannot delete the interface");
	/* Nothing is left to undo. */
	CHECK(sonde_stop(&a, SIGINT) == 1 && strstr(a.err, "the change was undone"), "%d %s", a.rc,
	      a.err);
	expect_clean(&lab);
}

static void drop_all(void)
{
	if (priv_keep(0))
		_exit(126);
}

SCENARIO(filter_no_privilege, 60)
{
	const char *const commands[][10] = {
		{ "sonde", "filter", "add", "-i", "lo", "drop", "tcp" },
		{ "sonde", "filter", "default", "-i", "lo", "drop" },
		{ "sonde", "filter", "clear", "-i", "lo" },
		{ "sonde", "filter", "del", "-i", "lo", "1" },
		{ "sonde", "filter", "list" },
		{ "sonde", "filter", "confirm", "-i", "lo" },
	};

	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		sonde_start(&a, drop_all, commands[i]);
		sonde_wait(&a);
		sonde_expect_line(&a, 1, "CAP_");
	}
	/* Testing a file's rules needs no privileges. */
	sonde_start(&a, drop_all,
		    (const char *const[]){ "sonde", "filter", "test", "-f",
					   rules_file("rules", "drop udp"), "tcp", "192.0.2.1",
					   "192.0.2.2", NULL });
	CHECK(!sonde_wait(&a), "%s", a.err);
}
