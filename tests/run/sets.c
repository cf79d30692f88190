/* SPDX-License-Identifier: MIT */
/* Sets of a million prefixes: how long reading them takes, and that the kernel has all of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "obj/sets.h"
#include "sys/bpf.h"
#include "tests/run/run.h"

enum { MANY = 1000000, EVERY = 997 };

static struct buf many;

/* Addresses spread over either family, in no order, and none next to another. */
static void address(uint32_t i, uint8_t *addr, enum set_family family)
{
	uint32_t mixed = i * 2654435761u; /* odd: different for each */

	memset(addr, 0, 16);
	memcpy(addr, &mixed, 4);
	if (family == SET_IPV6) {
		memcpy(addr + 12, &mixed, 4);
		addr[0] = 0x20;
	}
	addr[set_address(family) - 1] &= 0xfe;
}

static int give(void *arg, const char *file, struct buf *text, struct diag *why)
{
	(void)arg;
	(void)file;
	(void)why;
	*text = many;
	many = (struct buf){ 0 };
	return 0;
}

static void write_many(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint8_t a[16];

		address(i, a, i & 1);
		if (!(i & 1))
			buf_printf(&many, "%u.%u.%u.%u\n", a[0], a[1], a[2], a[3]);
		else
			buf_printf(&many, "20%02x:%x::%x:%x/127\n", a[1], a[2] << 8 | a[3],
				   a[12] << 8 | a[13], a[14] << 8 | a[15]);
	}
	CHECK(!many.nomem, "no memory");
}

static void look_up(const struct filter_set *set, int fd, enum set_family family, uint32_t i)
{
	struct {
		uint32_t bits;
		uint8_t addr[16];
	} key;
	uint8_t value = 0;
	int rc;

	address(i, key.addr, family);
	key.bits = (uint32_t)set_address(family) * 8;
	CHECK(set_has(set, family == SET_IPV4 ? 4 : 6, key.addr), "%u is not in the set", i);
	rc = bpf_map_lookup(fd, &key, &value);
	CHECK(!rc && value, "%u is not in the kernel's: %s", i, strerror(-rc));
	key.addr[set_address(family) - 1] |= 1;
	rc = set_has(set, family == SET_IPV4 ? 4 : 6, key.addr);
	CHECK(rc == !bpf_map_lookup(fd, &key, &value), "%u: they differ beside it", i);
}

void sets_many(void)
{
	static const struct filter_names names = { .set = give };
	uint32_t n = MANY / test_slow();
	struct filter f = { 0 };
	struct diag diag = { 0 };
	struct sets sets = { 0 };
	uint64_t begin, parsed;

	write_many(n);
	begin = clock_read(CLOCK_PROCESS_CPUTIME_ID);
	CHECK(!filter_parse(&f, "set many", &names, &diag), "%s", diag.msg);
	parsed = clock_read(CLOCK_PROCESS_CPUTIME_ID);
	CHECK(!sets_open(&sets, &f), "no sets");
	CHECK(parsed - begin < NS_PER_S * test_slow(), "%llu ms to parse",
	      (unsigned long long)(parsed - begin) / 1000000);
	for (uint32_t i = 0; i < n; i += EVERY)
		look_up(f.sets, sets.fd[0][i & 1], i & 1, i);
	sets_close(&sets);
	filter_close(&f);
}
