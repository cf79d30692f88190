/* SPDX-License-Identifier: MIT */
/* The sys suite: privileges, counters, names. */
#define _GNU_SOURCE 1
#include <check.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/array.h"
#include "gate/counters.h"
#include "net/proto.h"
#include "net/services.h"
#include "sys/priv.h"
#include "tests/unit/suites.h"
#include "tests/unit/sys_cases.h"

/* In a child process, since dropped privileges cannot be restored. */
START_TEST(missing_privileges_are_named)
{
	static const uint64_t want = PRIV(CAP_NET_ADMIN) | PRIV(CAP_BPF) | PRIV(CAP_PERFMON);
	uint64_t before = priv_caps();
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		char names[64], few[8];

		if (before & PRIV(CAP_SYS_ADMIN) &&
		    (priv_keep(PRIV(CAP_SYS_ADMIN)) || priv_caps() != PRIV(CAP_SYS_ADMIN) ||
		     strcmp(priv_missing(want, names, sizeof(names)), "CAP_NET_ADMIN")))
			_exit(1);
		if (priv_keep(0) || priv_caps())
			_exit(2);
		if (strcmp(priv_missing(want, names, sizeof(names)),
			   "CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON"))
			_exit(3);
		if (*priv_missing(0, names, sizeof(names)))
			_exit(4);
		if (strcmp(priv_missing(want, few, sizeof(few)), "CAP_BPF"))
			_exit(5);
		_exit(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 6);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_str_eq(lockdown_names[LOCKDOWN_UNKNOWN], "unknown");
	ck_assert_str_eq(lockdown_names[LOCKDOWN_CONFIDENTIALITY], "confidentiality");
}
END_TEST

static bool in_order(const struct gate_row *a, const struct gate_row *b)
{
	if (a->dir != b->dir)
		return a->dir < b->dir;
	if (a->family != b->family)
		return a->family < b->family;
	if (a->proto != b->proto)
		return a->proto < b->proto;
	return a->verdict < b->verdict;
}

START_TEST(rows_are_sorted_and_summed)
{
	enum { ROWS = 2 * 4 * 3 * 5 };
	static const uint32_t protos[] = { 6, 0xffff, GATE_PROTO_BAD };
	struct gate_counters t = { 0 };
	struct gate_row row, none = { .proto = 7 };

	ck_assert_ptr_null(gate_counters_find(&t, &none));
	for (unsigned int i = 0; i < 3 * ROWS; i++) {
		unsigned int n = i * 77 % ROWS; /* 77 and 120 have no common divisor */

		row = (struct gate_row){ .dir = (uint8_t)(n % 2),
					 .family = (uint8_t)(n / 2 % 4),
					 .proto = protos[n / 8 % 3],
					 .verdict = (uint8_t)(n / 24),
					 .packets = 1,
					 .bytes = n };
		ck_assert_int_eq(gate_counters_add(&t, &row), 0);
		ck_assert_ptr_nonnull(gate_counters_find(&t, &row));
	}
	ck_assert_uint_eq(t.n, ROWS);
	for (size_t i = 0; i < t.n; i++) {
		ck_assert(!i || in_order(&t.rows[i - 1], &t.rows[i]));
		ck_assert_uint_eq(t.rows[i].packets, 3);
		ck_assert_ptr_eq(gate_counters_find(&t, &t.rows[i]), &t.rows[i]);
	}
	row = (struct gate_row){ .dir = 1, .family = 3, .proto = GATE_PROTO_BAD, .verdict = 4 };
	ck_assert_uint_eq(gate_counters_find(&t, &row)->bytes, 3 * (ROWS - 1));
	ck_assert_ptr_null(gate_counters_find(&t, &none));
	gate_counters_clear(&t);
	ck_assert_ptr_null(gate_counters_find(&t, &row));
	gate_counters_free(&t);
	gate_counters_free(&t);
}
END_TEST

static const struct {
	uint8_t family;
	uint32_t proto;
	const char *name;
} names[] = {
	{ GATE_IPV4, 6, "tcp" },
	{ GATE_IPV6, 58, "icmpv6" },
	{ GATE_IPV4, 200, "200" },
	{ GATE_IPV6, 255, "raw" },
	{ GATE_IPV4, GATE_PROTO_BAD, "malformed" },
	{ GATE_OTHER, GATE_PROTO_MORE, "rest" },
	{ GATE_ARP, GATE_PROTO_NONE, "arp" },
	{ GATE_OTHER, 0x88cc, "lldp" },
	{ GATE_OTHER, 6, "llc" },
	{ GATE_OTHER, 0x5ff, "llc" },
	{ GATE_OTHER, 0x600, "0x0600" },
	{ GATE_OTHER, 0xffff, "0xffff" },
};

START_TEST(rows_have_names)
{
	struct gate_row row = { .family = names[_i].family, .proto = names[_i].proto };
	char buf[8];

	ck_assert_str_eq(gate_proto_name(&row, buf, sizeof(buf)), names[_i].name);
}
END_TEST

START_TEST(numbers_have_names)
{
	ck_assert_str_eq(net_proto_name(17), "udp");
	ck_assert_ptr_null(net_proto_name(254));
	ck_assert_str_eq(net_ethertype_name(0x0800), "ipv4");
	ck_assert_str_eq(net_ethertype_name(0x9100), "qinq1");
	ck_assert_str_eq(net_ethertype_name(0), "llc");
	ck_assert_ptr_null(net_ethertype_name(0xfffe));
	ck_assert_str_eq(gate_dir_name(GATE_OUT), "out");
	ck_assert_str_eq(gate_family_name(GATE_IPV6), "ipv6");
	ck_assert_str_eq(gate_family_name(GATE_FAMILIES), "?");
	ck_assert_str_eq(gate_verdict_name(GATE_REDIRECT), "redirect");
	ck_assert_str_eq(gate_verdict_name(GATE_VERDICTS), "?");
}
END_TEST

/* Lookup by name and by port. An unsorted row would not be found by its port. */
START_TEST(services_are_found_by_name_and_port)
{
	int tcp = 0, udp = 0;
	uint32_t port = 0;

	for (uint32_t i = 0; i <= UINT16_MAX; i++) {
		const char *name = service_name(false, (uint16_t)i);

		tcp += !!name;
		udp += !!service_name(true, (uint16_t)i);
		if (name && service_port(name, strlen(name), &port))
			ck_assert_uint_eq(port, i);
	}
	ck_assert_int_eq(tcp, 78);
	ck_assert_int_eq(udp, 48);
	ck_assert_str_eq(service_name(false, 514), "shell");
	ck_assert_str_eq(service_name(true, 514), "syslog");
	ck_assert_str_eq(service_name(false, 80), "http");
	ck_assert_ptr_null(service_name(true, 80));
	ck_assert(service_port("wwwx", 3, &port) && port == 80);
	ck_assert(!service_port("git", 3, &port) && !service_port("", 0, &port));
}
END_TEST

Suite *sys_suite(void)
{
	Suite *s = suite_create("sys");
	TCase *t = tcase_create("sys");

	tcase_add_test(t, missing_privileges_are_named);
	tcase_add_test(t, rows_are_sorted_and_summed);
	tcase_add_loop_test(t, rows_have_names, 0, ARRAY_LEN(names));
	tcase_add_test(t, numbers_have_names);
	tcase_add_test(t, services_are_found_by_name_and_port);
	suite_add_tcase(s, t);
	suite_add_tcase(s, netlink_cases());
	suite_add_tcase(s, btf_cases());
	suite_add_tcase(s, ring_cases());
	suite_add_tcase(s, iface_cases());
	return s;
}
