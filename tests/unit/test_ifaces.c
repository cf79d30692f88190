/* SPDX-License-Identifier: MIT */
/* What the follower of interfaces makes of messages that a kernel sent.
 *
 * tests/data/ifaces has them by step: what a watching socket got (NAME.events), and then a list of
 * all interfaces (NAME.list). In a new namespace with lo up and a pair veth0, veth1: veth0 set up,
 * down, renamed to lan0, moved to another namespace, moved back and set up; veth1 put into a bridge
 * and taken out; lan0 deleted. */
#include <check.h>
#include <endian.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/array.h"
#include "sys/iface_follower.h"
#include "tests/unit/suites.h"
#include "tests/unit/sys_cases.h"
#undef fail /* check.h has one, too */
#include "base/err.h"

enum { BYTES_MAX = 32768, CHANGES_MAX = 256, VETH0 = 3 };

/* How a step is told. */
enum told { BY_LIST = 1, BY_EVENTS = 2, BY_BOTH = 3 };

static void swap16(char *at)
{
	uint16_t n;

	memcpy(&n, at, sizeof(n));
	n = le16toh(n);
	memcpy(at, &n, sizeof(n));
}

static uint32_t swap32(char *at)
{
	uint32_t n;

	memcpy(&n, at, sizeof(n));
	n = le32toh(n);
	memcpy(at, &n, sizeof(n));
	return n;
}

/* Netlink is in the host's byte order, and that host's was little-endian. Values of attributes that
 * are looked at are strings. */
static void to_host_order(char *bytes, size_t len)
{
	static const size_t words[] = { 8, 12, 20, 24, 28 }, halves[] = { 4, 6, 18 };

	for (char *m = bytes; m < bytes + len;) {
		char *end = m + swap32(m), *attr = m + NLMSG_HDRLEN + sizeof(struct ifinfomsg);
		struct nlattr a;

		for (size_t i = 0; i < ARRAY_LEN(words); i++)
			swap32(m + words[i]);
		for (size_t i = 0; i < ARRAY_LEN(halves); i++)
			swap16(m + halves[i]);
		for (; attr < end; attr += NLA_ALIGN(a.nla_len)) {
			swap16(attr);
			swap16(attr + 2);
			memcpy(&a, attr, sizeof(a));
		}
		m = bytes + NLMSG_ALIGN(end - bytes);
	}
}

static size_t read_data(const char *step, const char *kind, char *bytes, size_t room)
{
	char path[64];
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), "tests/data/ifaces/%s.%s", step, kind);
	file = fopen(path, "rb");
	ck_assert_msg(file != NULL, "%s", path);
	n = fread(bytes, 1, room, file);
	ck_assert_uint_gt(n, 0);
	fclose(file);
	to_host_order(bytes, n);
	return n;
}

/* Bytes as one datagram on a socket that is not the kernel's. */
static int read_messages(const char *bytes, size_t len, nl_each *each, void *arg)
{
	static char answers[NL_BUF_MAX];
	struct nl nl = { .buf = answers };
	int ends[2], rc;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends), 0);
	ck_assert_int_eq(write(ends[1], bytes, len), (ssize_t)len);
	nl.fd = ends[0];
	rc = nl_read(&nl, each, arg);
	close(ends[0]);
	close(ends[1]);
	return rc;
}

static int add_link(const struct nlmsghdr *hdr, struct nl_span body, void *arg)
{
	struct link_list *list = arg;

	ck_assert(link_parse(hdr, body, &list->at[list->n++]));
	return 0;
}

static void follow(struct iface_follower *f, const char *step, enum told told)
{
	char bytes[BYTES_MAX];
	struct link links[8];
	struct link_list list = { .at = links };

	if (told & BY_EVENTS)
		ck_assert(!read_messages(bytes, read_data(step, "events", bytes, BYTES_MAX),
					 iface_follower_add_event, f));
	if (!(told & BY_LIST))
		return;
	ck_assert(
		!read_messages(bytes, read_data(step, "list", bytes, BYTES_MAX), add_link, &list));
	ck_assert(!iface_follower_add_list(f, &list));
}

/* Takes all changes, as text: +ADDED, ~RENAMED, -REMOVED. */
static void expect_changes(struct iface_follower *f, const char *want)
{
	char text[CHANGES_MAX] = "";
	struct iface_change change;

	while (iface_follower_next(f, &change) == 1) {
		size_t len = strlen(text);

		snprintf(text + len, sizeof(text) - len, "%s%c%s", len ? " " : "",
			 "+~-"[change.kind], change.link.name);
	}
	ck_assert_str_eq(text, want);
}

static void expect_step(struct iface_follower *f, const char *step, enum told told,
			const char *want)
{
	follow(f, step, told);
	expect_changes(f, want);
}

/* Notes are kept from the tests' output. */
static char noted[128];
static struct err_capture before;

static void hold_notes(void)
{
	before = err_capture_begin(noted, sizeof(noted));
}

static void release_notes(void)
{
	err_capture_end(before);
}

/* Every interface that is up: whatever is seen of the steps, the list is enough. */
START_TEST(every_one)
{
	enum told told = _i ? BY_BOTH : BY_LIST; /* or all events were lost */
	struct iface_follower f = { 0 };

	expect_step(&f, "down", BY_LIST, "+lo");
	expect_step(&f, "up", told, "+veth0");
	expect_step(&f, "up", BY_LIST, "");
	expect_step(&f, "downed", told, "");
	expect_step(&f, "up", told, "");
	expect_step(&f, "renamed", told, "~lan0");
	ck_assert_str_eq(noted, "veth0: the interface is now named lan0");
	ck_assert_uint_eq(f.nused, 2);
	expect_step(&f, "moved", told, "-lan0");
	ck_assert_str_eq(noted, "lan0: the interface is gone");
	ck_assert_uint_eq(f.nused, 1);
	expect_step(&f, "back", told, "+lan0");
	expect_step(&f, "left_bridge", told, "");
	expect_step(&f, "deleted", told, "-lan0");
	ck_assert_uint_eq(f.nused, 1);
	iface_follower_close(&f);
}
END_TEST

/* By name: up or not; a renamed one is still used, and added once; what comes back is added. */
START_TEST(by_name)
{
	static const struct opt_list names = { { "veth0", "lan0" }, 2 };
	struct iface_follower f = { .names = &names };

	expect_step(&f, "down", BY_LIST, "+veth0");
	expect_step(&f, "up", BY_BOTH, "");
	expect_step(&f, "renamed", BY_BOTH, "~lan0");
	expect_step(&f, "moved", BY_BOTH, "-lan0");
	ck_assert_uint_eq(f.nused, 0);
	expect_step(&f, "back", BY_BOTH, "+lan0");
	expect_step(&f, "deleted", BY_BOTH, "-lan0");
	iface_follower_close(&f);
}
END_TEST

/* Another interface with the name of one that was renamed is used as well. */
START_TEST(name_of_another)
{
	static const struct opt_list names = { { "veth0" }, 1 };
	struct link links[] = { { .ifindex = VETH0, .name = "lan0" },
				{ .ifindex = 9, .name = "veth0" } };
	struct iface_follower f = { .names = &names };

	expect_step(&f, "down", BY_LIST, "+veth0");
	ck_assert(!iface_follower_add_list(&f, &(struct link_list){ .at = links, .n = 2 }));
	expect_changes(&f, "~lan0 +veth0");
	ck_assert_uint_eq(f.nused, 2);
	iface_follower_close(&f);
}
END_TEST

/* Away and back between two readings: the list alone shows no difference. */
START_TEST(away_and_back)
{
	struct iface_follower f = { 0 };

	expect_step(&f, "down", BY_LIST, "+lo");
	expect_step(&f, "up", BY_BOTH, "+veth0");
	follow(&f, "renamed", BY_EVENTS);
	follow(&f, "moved", BY_EVENTS);
	expect_step(&f, "back", BY_BOTH, "-veth0 +lan0");
	expect_step(&f, "back", BY_LIST, "");
	/* The list was newer than this event. */
	expect_step(&f, "moved", BY_EVENTS, "");
	expect_step(&f, "back", BY_LIST, "-lan0 +lan0");
	ck_assert_uint_eq(f.nused, 2);
	iface_follower_close(&f);
}
END_TEST

/* A bridge announces that a port has left it with a message of the same type as a removal. */
START_TEST(leaves_a_bridge)
{
	static const struct opt_list names = { { "veth1" }, 1 };
	struct iface_follower f = { .names = &names };

	expect_step(&f, "back", BY_LIST, "+veth1");
	expect_step(&f, "left_bridge", BY_BOTH, "");
	expect_step(&f, "deleted", BY_BOTH, "-veth1");
	iface_follower_close(&f);
}
END_TEST

/* What could not be used is left alone until it is another interface. */
START_TEST(rejected)
{
	struct iface_follower f = { 0 };

	expect_step(&f, "down", BY_LIST, "+lo");
	expect_step(&f, "up", BY_BOTH, "+veth0");
	noted[0] = '\0';
	ck_assert(!iface_follower_reject(&f, VETH0, -EOPNOTSUPP));
	ck_assert(!iface_follower_reject(&f, VETH0, -EOPNOTSUPP));
	ck_assert_uint_eq(f.nused, 1);
	ck_assert_uint_eq(f.n, 2);
	expect_step(&f, "downed", BY_BOTH, "");
	expect_step(&f, "up", BY_BOTH, "");
	expect_step(&f, "renamed", BY_BOTH, "");
	expect_step(&f, "moved", BY_BOTH, "");
	ck_assert_str_eq(noted, "");
	ck_assert_uint_eq(f.nused, 1);
	expect_step(&f, "back", BY_BOTH, "+lan0");
	ck_assert_uint_eq(f.nused, 2);
	iface_follower_close(&f);
}
END_TEST

/* One that was named has to be usable at the start; later on the others go on without it. What no
 * interface would allow ends it all. */
START_TEST(rejected_for_good)
{
	static const struct opt_list names = { { "veth0", "lan0" }, 2 };
	struct iface_follower f = { .names = &names };
	struct iface_change change;

	follow(&f, "down", BY_LIST);
	ck_assert_int_eq(iface_follower_next(&f, &change), 1);
	ck_assert_int_eq(iface_follower_reject(&f, VETH0, -EOPNOTSUPP), -EOPNOTSUPP);
	expect_changes(&f, "");
	expect_step(&f, "moved", BY_BOTH, "-veth0");
	expect_step(&f, "back", BY_BOTH, "+lan0");
	ck_assert_int_eq(iface_follower_reject(&f, VETH0, -EPERM), -EPERM);
	ck_assert_int_eq(iface_follower_reject(&f, VETH0, -ENOMEM), -ENOMEM);
	ck_assert_uint_eq(f.nused, 1);
	ck_assert(!iface_follower_reject(&f, VETH0, -ENODEV));
	ck_assert_uint_eq(f.nused, 0);
	iface_follower_close(&f);
}
END_TEST

/* Cut off anywhere, messages remove nothing that the whole ones do not. */
START_TEST(cut_events)
{
	char bytes[BYTES_MAX];
	size_t len = read_data("left_bridge", "events", bytes, BYTES_MAX);
	struct iface_follower f = { 0 };

	len += read_data("moved", "events", bytes + len, BYTES_MAX - len);
	follow(&f, "back", BY_LIST);
	expect_changes(&f, "+lo +lan0");
	for (size_t n = 1; n < len; n += 7 * UNIT_STRIDE) {
		char *own = malloc(n);
		int rc;

		memcpy(own, bytes, n);
		rc = read_messages(own, n, iface_follower_add_event, &f);
		ck_assert_msg(!rc || rc == -EBADMSG, "%zu bytes: %d", n, rc);
		free(own);
	}
	expect_step(&f, "back", BY_LIST, "");
	ck_assert(!read_messages(bytes, len, iface_follower_add_event, &f));
	expect_step(&f, "back", BY_LIST, "-lan0 +lan0");
	iface_follower_close(&f);
}
END_TEST

TCase *iface_cases(void)
{
	TCase *t = tcase_create("ifaces");

	tcase_add_checked_fixture(t, hold_notes, release_notes);
	tcase_set_timeout(t, 30);
	tcase_add_loop_test(t, every_one, 0, 2);
	tcase_add_test(t, by_name);
	tcase_add_test(t, name_of_another);
	tcase_add_test(t, away_and_back);
	tcase_add_test(t, leaves_a_bridge);
	tcase_add_test(t, rejected);
	tcase_add_test(t, rejected_for_good);
	tcase_add_test(t, cut_events);
	return t;
}
