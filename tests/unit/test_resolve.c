/* SPDX-License-Identifier: MIT */
/* Names of a host: lines of the hosts file, directories of containers. */
#include <check.h>
#include <errno.h>
#include <string.h>
#include "base/array.h"
#include "resolve/hosts.h"
#include "sys/cgroup.h"
#include "tests/unit/suites.h"

static const char hosts[] = "127.0.0.1\tlocalhost loop\r\n"
			    "::1 localhost ip6-localhost # six\n"
			    "  10.0.0.1   Server.example server\n"
			    "# 10.0.0.2 server\n"
			    "10.0.0.3 other # server\n"
			    "fe80::1%eth0 server\n"
			    "10.0.0 server\n"
			    "2001:db8::1 SERVER\n"
			    "10.0.0.1 server\n"
			    "10.0.0.4\n"
			    "server 10.0.0.5\n"
			    "10.0.0.6 servers serve\n"
			    "10.0.0.7 last";

static const struct {
	const char *name;
	int n;
	uint8_t last[3]; /* family and last byte of the first address; last byte of the last one */
} queries[] = {
	{ "localhost", 2, { 4, 1, 1 } },
	{ "LOOP", 1, { 4, 1, 1 } },
	{ "server", 2, { 4, 1, 1 } },
	{ "server.EXAMPLE", 1, { 4, 1, 1 } },
	{ "last", 1, { 4, 7, 7 } },
	{ "ip6-localhost", 1, { 6, 1, 1 } },
	{ "other", 1, { 4, 3, 3 } },
	{ "nobody", 0, { 0 } },
	{ "10.0.0.4", 0, { 0 } },
	{ "", 0, { 0 } },
	{ "#", 0, { 0 } },
	{ "10.0.0.5", 0, { 0 } },
};

static uint8_t last_byte(const struct filter_addr *a)
{
	return a->bytes[a->family == 4 ? 3 : 15];
}

START_TEST(hosts_are_found)
{
	struct filter_addr addrs[4];
	int n = hosts_find(hosts, sizeof(hosts) - 1, queries[_i].name, addrs, 4);

	ck_assert_int_eq(n, queries[_i].n);
	if (!n)
		return;
	ck_assert_uint_eq(addrs[0].family, queries[_i].last[0]);
	ck_assert_uint_eq(last_byte(&addrs[0]), queries[_i].last[1]);
	ck_assert_uint_eq(last_byte(&addrs[n - 1]), queries[_i].last[2]);
}
END_TEST

START_TEST(too_many_addresses_are_refused)
{
	struct filter_addr addrs[2];

	ck_assert_int_eq(hosts_find(hosts, sizeof(hosts) - 1, "server", addrs, 1), -E2BIG);
	ck_assert_int_eq(hosts_find(hosts, sizeof(hosts) - 1, "server", addrs, 2), 2);
	ck_assert_int_eq(hosts_find(NULL, 0, "server", addrs, 2), 0);
}
END_TEST

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
static const struct {
	const char *dir, *id;
	bool is_container;
} dirs[] = {
	{ ID, "01234567", true },
	{ ID, ID, true },
	{ "docker-" ID ".scope", "0123456789ab", true },
	{ "cri-containerd-" ID ".scope", "01234567", true },
	{ "system.slice:cri-containerd:" ID, "01234567", true },
	{ "libpod-" ID ".scope", ID, true },
	{ "libpod-conmon-" ID ".scope", ID, false },
	{ "docker-" ID ".scope", "1234567", false },
	{ "docker-" ID ".scope", "012345678", true },
	{ "docker-" ID ".scope", "01234568", false },
	{ "docker" ID ".scope", "01234567", false },
	{ ID "x", "01234567", false },
	{ "kubepods-pod01234567_89ab_cdef_0123_456789abcdef.slice", "01234567", false },
	{ "pod01234567-89ab-cdef-0123-456789abcdef", "456789ab", false },
	{ "user.slice", "01234567", false },
	{ "", "01234567", false },
};

START_TEST(container_directories_are_recognized)
{
	const char *whole = NULL;

	ck_assert_int_eq(cgroup_is_container(dirs[_i].dir, dirs[_i].id, &whole),
			 dirs[_i].is_container);
	if (dirs[_i].is_container)
		ck_assert(!strncmp(whole, ID, 64));
}
END_TEST

Suite *resolve_suite(void)
{
	Suite *s = suite_create("resolve");
	TCase *t = tcase_create("host");

	tcase_add_loop_test(t, hosts_are_found, 0, ARRAY_LEN(queries));
	tcase_add_test(t, too_many_addresses_are_refused);
	tcase_add_loop_test(t, container_directories_are_recognized, 0, ARRAY_LEN(dirs));
	suite_add_tcase(s, t);
	return s;
}
