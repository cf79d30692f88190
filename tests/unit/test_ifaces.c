/* SPDX-License-Identifier: MIT */
/* The interface follower with recorded messages of a kernel. tests/data/ifaces has them by step:
 * what a subscribed socket received (NAME.events), then a list of all interfaces (NAME.list). They
 * were recorded in a new namespace with lo up and a pair veth0, veth1. Steps: veth0 set up, down,
 * renamed to lan0, moved to another namespace, moved back and set up; veth1 added to a bridge and
 * removed from it; lan0 deleted. */
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
#undef fail /* check.h defines it, too */
#include "base/err.h"

enum { BYTES_MAX = 32768, CHANGES_MAX = 256, VETH0 = 3 };

/* The messages that report a step. */
enum source { BY_LIST = 1, BY_EVENTS = 2, BY_BOTH = 3 };

static void swap_u16(char *at)
{
	uint16_t n;

	memcpy(&n, at, sizeof(n));
	n = le16toh(n);
	memcpy(at, &n, sizeof(n));
}

static uint32_t swap_u32(char *at)
{
	uint32_t n;

	memcpy(&n, at, sizeof(n));
	n = le32toh(n);
	memcpy(at, &n, sizeof(n));
	return n;
}

/* Netlink uses the host's byte order, and the recording host was little-endian. The attribute
 * values read here are strings. */
static void to_host_order(char *bytes, size_t len)
{
	static const size_t words[] = { 8, 12, 20, 24, 28 }, halves[] = { 4, 6, 18 };

	for (char *m = bytes; m < bytes + len;) {
		char *end = m + swap_u32(m), *attr = m + NLMSG_HDRLEN + sizeof(struct ifinfomsg);
		struct nlattr a;

		for (size_t i = 0; i < ARRAY_LEN(words); i++)
			swap_u32(m + words[i]);
		for (size_t i = 0; i < ARRAY_LEN(halves); i++)
			swap_u16(m + halves[i]);
		for (; attr < end; attr += NLA_ALIGN(a.nla_len)) {
			swap_u16(attr);
			swap_u16(attr + 2);
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

/* Sends bytes as one datagram on a socket pair instead of a netlink socket. */
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

static void apply_step(struct iface_follower *f, const char *step, enum source source)
{
	char bytes[BYTES_MAX];
	struct link links[8];
	struct link_list list = { .at = links };

	if (source & BY_EVENTS)
		ck_assert(!read_messages(bytes, read_data(step, "events", bytes, BYTES_MAX),
					 iface_follower_add_event, f));
	if (!(source & BY_LIST))
		return;
	ck_assert(
		!read_messages(bytes, read_data(step, "list", bytes, BYTES_MAX), add_link, &list));
	ck_assert(!iface_follower_add_list(f, &list));
}

/* Compares all changes as text: +ADDED, ~RENAMED, -REMOVED. */
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

static void expect_step(struct iface_follower *f, const char *step, enum source source,
			const char *want)
{
	apply_step(f, step, source);
	expect_changes(f, want);
}

/* Captures notes to keep them out of the tests' output. */
static char notes[128];
static struct err_capture before;

static void capture_notes_begin(void)
{
	before = err_capture_begin(notes, sizeof(notes));
}

static void capture_notes_end(void)
{
	err_capture_end(before);
}

/* All interfaces that are up: the list is enough if events are missing. */
START_TEST(all_interfaces_are_followed)
{
	enum source source = _i ? BY_BOTH : BY_LIST; /* by list: all events were lost */
	struct iface_follower f = { 0 };

	expect_step(&f, "down", BY_LIST, "+lo");
	expect_step(&f, "up", source, "+veth0");
	expect_step(&f, "up", BY_LIST, "");
	expect_step(&f, "downed", source, "");
	expect_step(&f, "up", source, "");
	expect_step(&f, "renamed", source, "~lan0");
	ck_assert_str_eq(notes, "veth0: the interface is now named lan0");
	ck_assert_uint_eq(f.nused, 2);
	expect_step(&f, "moved", source, "-lan0");
	ck_assert_str_eq(notes, "lan0: the interface is gone");
	ck_assert_uint_eq(f.nused, 1);
	expect_step(&f, "back", source, "+lan0");
	expect_step(&f, "left_bridge", source, "");
	expect_step(&f, "deleted", source, "-lan0");
	ck_assert_uint_eq(f.nused, 1);
	iface_follower_close(&f);
}
END_TEST

/* By name, up or not: a renamed interface is still used and was added once. One that returns is
 * added. */
START_TEST(named_interfaces_are_followed)
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

/* Another interface that gets the name of a renamed one is used as well. */
START_TEST(reused_names_are_followed)
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

/* Moved away and back between two readings: the list alone shows no difference. */
START_TEST(interfaces_that_return_are_noticed)
{
	struct iface_follower f = { 0 };

	expect_step(&f, "down", BY_LIST, "+lo");
	expect_step(&f, "up", BY_BOTH, "+veth0");
	apply_step(&f, "renamed", BY_EVENTS);
	apply_step(&f, "moved", BY_EVENTS);
	expect_step(&f, "back", BY_BOTH, "-veth0 +lan0");
	expect_step(&f, "back", BY_LIST, "");
	/* The list was newer than this event. */
	expect_step(&f, "moved", BY_EVENTS, "");
	expect_step(&f, "back", BY_LIST, "-lan0 +lan0");
	ck_assert_uint_eq(f.nused, 2);
	iface_follower_close(&f);
}
END_TEST

/* A bridge reports a port that left it with a message of the same type as a removal. */
START_TEST(leaving_a_bridge_is_not_a_removal)
{
	static const struct opt_list names = { { "veth1" }, 1 };
	struct iface_follower f = { .names = &names };

	expect_step(&f, "back", BY_LIST, "+veth1");
	expect_step(&f, "left_bridge", BY_BOTH, "");
	expect_step(&f, "deleted", BY_BOTH, "-veth1");
	iface_follower_close(&f);
}
END_TEST

/* An interface that could not be used is not retried until it is another one. */
START_TEST(rejected_interfaces_are_not_retried)
{
	struct iface_follower f = { 0 };

	expect_step(&f, "down", BY_LIST, "+lo");
	expect_step(&f, "up", BY_BOTH, "+veth0");
	notes[0] = '\0';
	ck_assert(!iface_follower_reject(&f, VETH0, -EOPNOTSUPP));
	ck_assert(!iface_follower_reject(&f, VETH0, -EOPNOTSUPP));
	ck_assert_uint_eq(f.nused, 1);
	ck_assert_uint_eq(f.n, 2);
	expect_step(&f, "downed", BY_BOTH, "");
	expect_step(&f, "up", BY_BOTH, "");
	expect_step(&f, "renamed", BY_BOTH, "");
	expect_step(&f, "moved", BY_BOTH, "");
	ck_assert_str_eq(notes, "");
	ck_assert_uint_eq(f.nused, 1);
	expect_step(&f, "back", BY_BOTH, "+lan0");
	ck_assert_uint_eq(f.nused, 2);
	iface_follower_close(&f);
}
END_TEST

/* A named interface must be usable at the start. Later the others continue without it. An error
 * that no interface could avoid ends the run. */
START_TEST(rejection_at_the_start_is_an_error)
{
	static const struct opt_list names = { { "veth0", "lan0" }, 2 };
	struct iface_follower f = { .names = &names };
	struct iface_change change;

	apply_step(&f, "down", BY_LIST);
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

/* Truncated messages remove only what the complete ones do. */
START_TEST(truncated_events_are_safe)
{
	char bytes[BYTES_MAX];
	size_t len = read_data("left_bridge", "events", bytes, BYTES_MAX);
	struct iface_follower f = { 0 };

	len += read_data("moved", "events", bytes + len, BYTES_MAX - len);
	apply_step(&f, "back", BY_LIST);
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

	tcase_add_checked_fixture(t, capture_notes_begin, capture_notes_end);
	tcase_set_timeout(t, 30);
	tcase_add_loop_test(t, all_interfaces_are_followed, 0, 2);
	tcase_add_test(t, named_interfaces_are_followed);
	tcase_add_test(t, reused_names_are_followed);
	tcase_add_test(t, interfaces_that_return_are_noticed);
	tcase_add_test(t, leaving_a_bridge_is_not_a_removal);
	tcase_add_test(t, rejected_interfaces_are_not_retried);
	tcase_add_test(t, rejection_at_the_start_is_an_error);
	tcase_add_test(t, truncated_events_are_safe);
	return t;
}
