/* SPDX-License-Identifier: MIT */
/* Tables of sets: the lookup code of the kernel program, run here, compared with a search of all
 * prefixes. */
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

static inline __u64 get_param(enum set_param which)
{
	struct set_head h = set_table_head(&lines);
	const __u32 params[] = { h.top, h.base, h.buckets, h.codes, h.codes_base };

	return params[which - SET_PARAM_TOP];
}

#define set_load_param(name, var) (var) = get_param(name)
#include "bpf/lib/set.h"

enum { ROUNDS = 100 / UNIT_STRIDE, QUERIES = 200, WIDTH_MAX = 17 };

static uint64_t state = 4711;
static uint32_t draw(uint32_t below)
{
	return draw_below(&state, below);
}

static uint64_t read_be(const uint8_t *at, int n)
{
	uint64_t value = 0;

	while (n--)
		value = value << 8 | *at++;
	return value;
}

static bool table_has(enum set_family family, const uint8_t *addr)
{
	return family == SET_IPV4 ? set4_find((__u32)read_be(addr, 4))
				  : set6_find(read_be(addr, 8), read_be(addr + 8, 8));
}

static bool is_within(const uint8_t *prefix, const uint8_t *addr, size_t len)
{
	for (size_t bit = 0; bit < prefix[len]; bit++)
		if ((prefix[bit / 8] ^ addr[bit / 8]) & 0x80 >> bit % 8)
			return false;
	return true;
}

/* A random address whose bits before `low` are 0. */
static void draw_address(uint8_t *addr, size_t len, size_t low)
{
	memset(addr, 0, len);
	for (size_t bit = low; bit < len * 8; bit++)
		addr[bit / 8] |= (uint8_t)(draw(2) << (7 - bit % 8));
}

static void add_prefix(struct filter_set *s, enum set_family family, const uint8_t *addr,
		       size_t bits)
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

static void build_table(const struct filter_set *s, enum set_family family)
{
	ck_assert_int_eq(family == SET_IPV4 ? set4_build(&s->of[family], &lines)
					    : set6_build(&s->of[family], &lines),
			 0);
}

/* A set read back from its table is unchanged. */
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
	ck_assert_int_eq(table_has(family, addr), in);
}

/* Compares the table of the normalized set with the original prefixes. */
static void check_set(const struct filter_set *all, enum set_family family, size_t low)
{
	size_t len = set_addr_len(family);
	struct filter_set s = { 0 };
	uint8_t addr[16];

	for (size_t i = 0; i < all->of[family].n; i++)
		add_prefix(&s, family, set_prefix_at(all, family, i),
			   set_prefix_at(all, family, i)[len]);
	ck_assert_int_eq(set_normalize(&s), 0);
	build_table(&s, family);
	check_read(&s, family);
	for (int i = 0; i < QUERIES; i++) {
		draw_address(addr, len, low);
		check_address(all, family, addr);
	}
	for (size_t i = 0; i < all->of[family].n; i++) {
		const uint8_t *p = set_prefix_at(all, family, i);

		/* The first and the last address, and one that differs in a bit. */
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

START_TEST(random_sets_match_their_prefixes)
{
	enum set_family family = _i;
	uint32_t len = (uint32_t)set_addr_len(family), max = len * 8;

	for (int round = 0; round < ROUNDS; round++) {
		uint32_t n = 1 + draw(1u << draw(8)), shortest = draw(max + 1);
		uint32_t longest = shortest + draw(max + 1 - shortest), low = draw(max);
		struct filter_set all = { 0 };

		while (n--) {
			uint8_t addr[16];

			draw_address(addr, len, low);
			add_prefix(&all, family, addr, shortest + draw(longest + 1 - shortest));
		}
		check_set(&all, family, low);
		set_close(&all);
	}
}
END_TEST

/* One prefix of each length, none within another: the last address of each half. */
START_TEST(every_prefix_length_is_found)
{
	enum set_family family = _i;
	uint32_t max = (uint32_t)set_addr_len(family) * 8;
	uint8_t addr[16] = { 0 };
	struct filter_set all = { 0 };

	for (uint32_t bits = 1; bits <= max; bits++) {
		addr[(bits - 1) / 8] |= (uint8_t)(0x80 >> (bits - 1) % 8);
		add_prefix(&all, family, addr, bits);
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
	uint32_t lines; /* maximum for the whole table */
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

START_TEST(small_sets_need_few_lines)
{
	struct filter_set s = { 0 };
	struct diag diag = { 0 };

	ck_assert_int_eq(set_parse(&s, sizes[_i].text, strlen(sizes[_i].text), &diag), 0);
	build_table(&s, sizes[_i].family);
	check_read(&s, sizes[_i].family);
	ck_assert_uint_le(lines.n, sizes[_i].lines);
	ck_assert_int_eq(set_table_head(&lines).top != 0, sizes[_i].top);
	set_table_close(&lines);
	set_close(&s);
}
END_TEST

/* So many addresses that they are stored as codes. Some are close together, as in one /24. */
START_TEST(large_sets_use_codes)
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
	build_table(&s, SET_IPV4);
	ck_assert_uint_ne(set_table_head(&lines).codes, 0);
	/* Some must have overflowed to buckets, or the test misses that case. */
	ck_assert_uint_ne(set_table_head(&lines).buckets, 0);
	check_read(&s, SET_IPV4);
	for (i = 0; i < MANY * 2; i += 5) {
		uint8_t addr[16] = { 0 };

		if (i < s.of->n)
			memcpy(addr, set_prefix_at(&s, SET_IPV4, i), 4);
		else
			draw_address(addr, 4, i % 16);
		ck_assert_int_eq(table_has(SET_IPV4, addr), set_contains(&s, 4, addr));
	}
	set_table_close(&lines);
	set_close(&s);
}
END_TEST

/* Tables with a wrong head are refused. */
START_TEST(foreign_tables_are_refused)
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
	tcase_add_loop_test(t, random_sets_match_their_prefixes, 0, SET_FAMILIES);
	tcase_add_loop_test(t, every_prefix_length_is_found, 0, SET_FAMILIES);
	tcase_add_loop_test(t, small_sets_need_few_lines, 0, ARRAY_LEN(sizes));
	tcase_add_test(t, large_sets_use_codes);
	tcase_add_loop_test(t, foreign_tables_are_refused, 0, SET_FAMILIES);
	suite_add_tcase(s, t);
	return s;
}
