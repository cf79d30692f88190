/* SPDX-License-Identifier: MIT */
/* Lines of sets: what the kernel's code finds in them, run here, beside a look at every prefix. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "sets/set_table.h"
#include "tests/lib/draw.h"
#include "tests/unit/suites.h"

#undef __always_inline
#define __always_inline inline

static struct set_table lines;

static inline const struct set_line *set_line_at(__u32 index)
{
	ck_assert_uint_lt(index, lines.n);
	return &lines.at[index];
}

static inline __u64 param(enum set_param which)
{
	struct set_head h = set_table_head(&lines);
	const __u32 params[] = { h.top, h.base, h.buckets, h.codes, h.codes_base };

	return params[which - SET_PARAM_TOP];
}

#define set_load_param(name, var) (var) = param(name)
#include "bpf/lib/set.h"

enum { ROUNDS = 100 / UNIT_STRIDE, ASKED = 200, WIDTH_MAX = 17 };

static uint64_t state = 4711;
static uint32_t draw(uint32_t below)
{
	return draw_below(&state, below);
}

static uint64_t be(const uint8_t *at, int n)
{
	uint64_t value = 0;

	while (n--)
		value = value << 8 | *at++;
	return value;
}

static bool lines_have(enum set_family family, const uint8_t *addr)
{
	return family == SET_IPV4 ? set4_find((__u32)be(addr, 4))
				  : set6_find(be(addr, 8), be(addr + 8, 8));
}

static bool is_within(const uint8_t *prefix, const uint8_t *addr, size_t len)
{
	for (size_t bit = 0; bit < prefix[len]; bit++)
		if ((prefix[bit / 8] ^ addr[bit / 8]) & 0x80 >> bit % 8)
			return false;
	return true;
}

/* An address of which only bits from low on are drawn, those before are a 0. */
static void draw_address(uint8_t *addr, size_t len, size_t low)
{
	memset(addr, 0, len);
	for (size_t bit = low; bit < len * 8; bit++)
		addr[bit / 8] |= (uint8_t)(draw(2) << (7 - bit % 8));
}

static void add(struct filter_set *s, enum set_family family, const uint8_t *addr, size_t bits)
{
	struct set_prefixes *p = &s->of[family];
	size_t len = set_addr_len(family);
	uint8_t *at;

	p->at = realloc(p->at, (p->n + 1) * (len + 1));
	ck_assert_ptr_nonnull(p->at);
	at = p->at + p->n++ * (len + 1);
	p->room = p->n;
	memcpy(at, addr, len);
	for (size_t bit = bits; bit < len * 8; bit++)
		at[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	at[len] = (uint8_t)bits;
}

static void build(const struct filter_set *s, enum set_family family)
{
	ck_assert_int_eq(family == SET_IPV4 ? set4_build(&s->of[family], &lines)
					    : set6_build(&s->of[family], &lines),
			 0);
}

/* Read from its lines a set is what it was. */
static void check_read(const struct filter_set *s, enum set_family family)
{
	struct filter_set got = { 0 };
	struct set_prefixes *p = &got.of[family];

	ck_assert_int_eq(family == SET_IPV4 ? set4_read(&lines, p) : set6_read(&lines, p), 0);
	ck_assert_int_eq(set_normalize(&got), 0);
	ck_assert_uint_eq(p->n, s->of[family].n);
	if (p->n)
		ck_assert_mem_eq(p->at, s->of[family].at, p->n * (set_addr_len(family) + 1));
	set_close(&got);
}

static void check_address(const struct filter_set *all, enum set_family family, const uint8_t *addr)
{
	size_t len = set_addr_len(family);
	bool in = false;

	for (size_t i = 0; i < all->of[family].n && !in; i++)
		in = is_within(set_prefix_at(all, family, i), addr, len);
	ck_assert_int_eq(lines_have(family, addr), in);
}

/* As it was drawn, and settled. */
static void check_set(const struct filter_set *all, enum set_family family, size_t low)
{
	size_t len = set_addr_len(family);
	struct filter_set s = { 0 };
	uint8_t addr[16];

	for (size_t i = 0; i < all->of[family].n; i++)
		add(&s, family, set_prefix_at(all, family, i), set_prefix_at(all, family, i)[len]);
	ck_assert_int_eq(set_normalize(&s), 0);
	build(&s, family);
	check_read(&s, family);
	for (int i = 0; i < ASKED; i++) {
		draw_address(addr, len, low);
		check_address(all, family, addr);
	}
	for (size_t i = 0; i < all->of[family].n; i++) {
		const uint8_t *p = set_prefix_at(all, family, i);

		/* Its first and its last, and what differs in one bit. */
		memcpy(addr, p, len);
		check_address(all, family, addr);
		for (size_t bit = p[len]; bit < len * 8; bit++)
			addr[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
		check_address(all, family, addr);
		addr[draw((uint32_t)len)] ^= (uint8_t)(1 << draw(8));
		check_address(all, family, addr);
	}
	set_table_close(&lines);
	set_close(&s);
}

START_TEST(random_sets)
{
	enum set_family family = _i;
	uint32_t len = (uint32_t)set_addr_len(family), max = len * 8;

	for (int round = 0; round < ROUNDS; round++) {
		uint32_t n = 1 + draw(1u << draw(8)), shortest = draw(max + 1);
		uint32_t ban_max = shortest + draw(max + 1 - shortest), low = draw(max);
		struct filter_set all = { 0 };

		while (n--) {
			uint8_t addr[16];

			draw_address(addr, len, low);
			add(&all, family, addr, shortest + draw(ban_max + 1 - shortest));
		}
		check_set(&all, family, low);
		set_close(&all);
	}
}
END_TEST

/* Every length there is, none within another: the last of each half. */
START_TEST(every_length)
{
	enum set_family family = _i;
	uint32_t max = (uint32_t)set_addr_len(family) * 8;
	uint8_t addr[16] = { 0 };
	struct filter_set all = { 0 };

	for (uint32_t bits = 1; bits <= max; bits++) {
		addr[(bits - 1) / 8] |= (uint8_t)(0x80 >> (bits - 1) % 8);
		add(&all, family, addr, bits);
		addr[(bits - 1) / 8] &= (uint8_t) ~(0x80 >> (bits - 1) % 8);
	}
	check_set(&all, family, 0);
	check_set(&all, family, max - 4);
	set_close(&all);
}
END_TEST

static const struct {
	const char *text;
	enum set_family family;
	uint32_t lines; /* all that it takes, at most */
	bool top;
} sizes[] = {
	{ "0.0.0.0/0", SET_IPV4, 2050, true },
	{ "10.0.0.0/8", SET_IPV4, 2051, true },
	{ "10.0.0.0/16\n10.2.0.0/24", SET_IPV4, 840, false },
	{ "192.0.2.1", SET_IPV4, 2, false },
	{ "192.0.2.0/24\n198.51.100.0/24\n203.0.113.0/24", SET_IPV4, 12, false },
	{ "::/0", SET_IPV6, 7, false },
	{ "::1", SET_IPV6, 5, false },
};

START_TEST(small)
{
	struct filter_set s = { 0 };
	struct diag diag = { 0 };

	ck_assert_int_eq(set_parse(&s, sizes[_i].text, strlen(sizes[_i].text), &diag), 0);
	build(&s, sizes[_i].family);
	check_read(&s, sizes[_i].family);
	ck_assert_uint_le(lines.n, sizes[_i].lines);
	ck_assert_int_eq(set_table_head(&lines).top != 0, sizes[_i].top);
	set_table_close(&lines);
	set_close(&s);
}
END_TEST

/* So many addresses that they are codes; some come close together, as of one /24. */
START_TEST(codes)
{
	enum { MANY = 400000, SLASH24 = 3000 };
	struct filter_set s = { 0 };
	uint32_t i;

	s.of->at = malloc(MANY * 5);
	ck_assert_ptr_nonnull(s.of->at);
	for (i = 0; i < MANY; i++) {
		uint32_t addr = i < SLASH24 ? 0x0a000000 + i % 256 * 2 + i / 256 * 77777
					    : (draw(65536) << 16 | draw(65536));
		uint8_t prefix[] = { (uint8_t)(addr >> 24), (uint8_t)(addr >> 16),
				     (uint8_t)(addr >> 8), (uint8_t)addr, 32 };

		memcpy(s.of->at + i * 5, prefix, 5);
	}
	s.of->n = s.of->room = MANY;
	ck_assert_int_eq(set_normalize(&s), 0);
	build(&s, SET_IPV4);
	ck_assert_uint_ne(set_table_head(&lines).codes, 0);
	/* Some must have found their half line full, or that is not tested. */
	ck_assert_uint_ne(set_table_head(&lines).buckets, 0);
	check_read(&s, SET_IPV4);
	for (i = 0; i < MANY * 2; i += 5) {
		uint8_t addr[16] = { 0 };

		if (i < s.of->n)
			memcpy(addr, set_prefix_at(&s, SET_IPV4, i), 4);
		else
			draw_address(addr, 4, i % 16);
		ck_assert_int_eq(lines_have(SET_IPV4, addr), set_contains(&s, 4, addr));
	}
	set_table_close(&lines);
	set_close(&s);
}
END_TEST

/* Lines that are no such set's are refused, whatever is in them. */
START_TEST(foreign)
{
	static const char text[] = "10.0.0.0/8\n2001:db8::/32";
	struct filter_set s = { 0 };
	struct diag diag = { 0 };
	struct set_prefixes *p = &s.of[_i], got = { 0 };
	struct set_head *h;

	ck_assert_int_eq(set_parse(&s, text, strlen(text), &diag), 0);
	for (int i = 0; i < 6; i++) {
		ck_assert_int_eq(_i ? set6_build(p, &lines) : set4_build(p, &lines), 0);
		h = (struct set_head *)lines.at;
		if (i == 0)
			h->magic++;
		else if (i == 1)
			h->version++;
		else if (i == 2)
			h->family ^= 2;
		else if (i == 3)
			h->buckets = h->lines;
		else if (i == 4)
			h->base = UINT32_MAX;
		else
			lines.n = 0;
		ck_assert_int_eq(_i ? set6_read(&lines, &got) : set4_read(&lines, &got), -EINVAL);
		set_table_close(&lines);
	}
	free(got.at);
	set_close(&s);
}
END_TEST

Suite *lines_suite(void)
{
	Suite *s = suite_create("lines");
	TCase *t = tcase_create("lines");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, random_sets, 0, SET_FAMILIES);
	tcase_add_loop_test(t, every_length, 0, SET_FAMILIES);
	tcase_add_loop_test(t, small, 0, ARRAY_LEN(sizes));
	tcase_add_test(t, codes);
	tcase_add_loop_test(t, foreign, 0, SET_FAMILIES);
	suite_add_tcase(s, t);
	return s;
}
