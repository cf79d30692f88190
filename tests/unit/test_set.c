/* SPDX-License-Identifier: MIT */
/* Sets of addresses: normalization, errors and their positions, membership. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/array.h"
#include "base/buf.h"
#include "filter/set.h"
#include "tests/lib/draw.h"
#include "tests/unit/suites.h"

enum { ROUNDS = 200 / UNIT_STRIDE, LINES_MAX = 40, QUERIES = 200 };

/* Prints the prefixes of a set as text, each followed by a space. */
static void print_set(const struct filter_set *s, char *text, size_t room)
{
	size_t len = 0;

	*text = '\0';
	for (int family = 0; family < SET_FAMILIES; family++) {
		for (size_t i = 0; i < s->of[family].n; i++) {
			const uint8_t *p = set_prefix_at(s, (enum set_family)family, i);
			char addr[INET6_ADDRSTRLEN];

			inet_ntop(family == SET_IPV4 ? AF_INET : AF_INET6, p, addr, sizeof(addr));
			len += (size_t)snprintf(text + len, room - len, "%s/%u ", addr,
						p[set_addr_len((enum set_family)family)]);
			ck_assert_uint_lt(len, room);
		}
	}
}

static const struct {
	const char *text, *left;
} texts[] = {
	{ "", "" },
	{ "\n\n  \n\t\r\n# nothing\n", "" },
	{ "10.0.0.1", "10.0.0.1/32 " },
	{ "10.0.0.1\r\n", "10.0.0.1/32 " },
	{ " \t10.0.0.0/8 # ours\n2001:db8::/32#theirs", "10.0.0.0/8 2001:db8::/32 " },
	{ "10.0.0.2\n10.0.0.1\n10.0.0.2\n", "10.0.0.1/32 10.0.0.2/32 " },
	{ "10.0.0.2\n10.0.0.3\n", "10.0.0.2/31 " },
	{ "10.0.0.3\n10.0.0.1\n10.0.0.2\n10.0.0.0\n", "10.0.0.0/30 " },
	{ "10.1.2.3\n10.0.0.0/8\n10.200.0.0/16\n11.0.0.0/8", "10.0.0.0/7 " },
	{ "0.0.0.0/1\n128.0.0.0/1", "0.0.0.0/0 " },
	{ "0.0.0.0/0\n255.255.255.255\n0.0.0.0", "0.0.0.0/0 " },
	{ "255.255.255.255\n255.255.255.254\n0.0.0.0", "0.0.0.0/32 255.255.255.254/31 " },
	{ "::/1\n8000::/1\n::1", "::/0 " },
	{ "2001:db8::1\n2001:db8::\n::ffff:1.2.3.4", "::ffff:1.2.3.4/128 2001:db8::/127 " },
};

START_TEST(sets_are_normalized)
{
	struct filter_set s = { 0 };
	struct diag diag = { 0 };
	char text[400];

	ck_assert_msg(!set_parse(&s, texts[_i].text, strlen(texts[_i].text), &diag), "%s",
		      diag.msg);
	print_set(&s, text, sizeof(text));
	ck_assert_str_eq(text, texts[_i].left);
	set_close(&s);
}
END_TEST

static const struct {
	const char *text, *message;
} wrong[] = {
	{ "here", "1:1: expected an IPv4 or IPv6 address" },
	{ "10.0.0.1\n\n  10.0.0", "3:3: expected an IPv4" },
	{ "10.0.0.256", "1:1: expected an IPv4" },
	{ "10.0.0.1.", "1:1: expected an IPv4" },
	{ "10.0..1", "1:1: expected an IPv4" },
	{ "1:2:3:4:5:6:7", "1:1: expected an IPv4" },
	{ "10.0.0.1/33", "1:10: expected a prefix length from 0 to 32" },
	{ "10.0.0.0/", "1:10: expected a prefix length" },
	{ "10.0.0.0/8x", "1:11: expected a prefix length" },
	{ "10.0.0.0/0008", "1:13: expected a prefix length" },
	{ "::/129", "1:4: expected a prefix length from 0 to 128" },
	{ "10.0.0.1/31", "1:1: address bits set outside" },
	{ "\n2001:db8::1/32", "2:1: address bits set outside" },
	{ "10.0.0.1 10.0.0.2", "1:10: expected one address or prefix per line" },
	{ "10.0.0.1,10.0.0.2", "1:1: expected an IPv4" },
};

START_TEST(errors_have_positions)
{
	struct filter_set s = { 0 };
	struct diag diag = { 0 };

	ck_assert_int_eq(set_parse(&s, wrong[_i].text, strlen(wrong[_i].text), &diag), -EINVAL);
	ck_assert_msg(!strncmp(diag.msg, wrong[_i].message, strlen(wrong[_i].message)), "'%s': %s",
		      wrong[_i].text, diag.msg);
	set_close(&s);
}
END_TEST

START_TEST(zero_bytes_are_refused)
{
	struct filter_set s = { 0 };
	struct diag diag = { 0 };

	ck_assert_int_eq(set_parse(&s, "::1\0", 4, &diag), -EINVAL);
	ck_assert_int_eq(set_parse(&s, "\0\n", 2, &diag), -EINVAL);
	set_close(&s);
}
END_TEST

static uint64_t state = 42;
static uint32_t draw(uint32_t below)
{
	return draw_below(&state, below);
}

/* A random prefix out of few addresses, with the bits after its mask cleared. */
static uint8_t random_prefix(uint8_t *addr, size_t len)
{
	uint8_t bits = (uint8_t)(draw(3) ? len * 8 - draw(12) : draw((uint32_t)len * 8 + 1));

	memset(addr, 0x20, len);
	addr[len - 2] = (uint8_t)draw(4);
	addr[len - 1] = (uint8_t)draw(256);
	for (size_t i = bits; i < len * 8; i++)
		addr[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
	return bits;
}

/* Membership in random sets is as in their lines, and no set has more prefixes than lines. */
START_TEST(sets_match_their_lines)
{
	int af = _i ? AF_INET6 : AF_INET;
	size_t len = _i ? 16 : 4;

	for (int round = 0; round < ROUNDS; round++) {
		uint8_t addr[LINES_MAX][16], bits[LINES_MAX], query[16];
		int n = (int)draw(LINES_MAX);
		struct filter_set s = { 0 };
		struct diag diag = { 0 };
		struct buf text = { 0 };

		for (int i = 0; i < n; i++) {
			char word[INET6_ADDRSTRLEN];

			bits[i] = random_prefix(addr[i], len);
			inet_ntop(af, addr[i], word, sizeof(word));
			buf_printf(&text, "%s/%u\n", word, bits[i]);
		}
		ck_assert_int_eq(set_parse(&s, text.data, text.len, &diag), 0);
		ck_assert_uint_le(s.of[_i].n, (size_t)n);
		for (int k = 0; k < QUERIES; k++) {
			bool in = false;

			memset(query, 0x20, sizeof(query));
			query[len - 2] = (uint8_t)draw(4);
			query[len - 1] = (uint8_t)draw(256);
			for (int i = 0; i < n && !in; i++) {
				in = true;
				for (size_t b = 0; b < bits[i]; b++)
					in &= !((addr[i][b / 8] ^ query[b / 8]) & 0x80 >> b % 8);
			}
			ck_assert_int_eq(set_contains(&s, _i ? 6 : 4, query), in);
			ck_assert(!set_contains(&s, _i ? 4 : 6, query) &&
				  !set_contains(&s, 0, query));
		}
		set_close(&s);
		buf_free(&text);
	}
}
END_TEST

static const struct {
	const char *set, *add, *remove, *left;
} changes[] = {
	{ "", "10.0.0.1", "", "10.0.0.1/32 " },
	{ "10.0.0.1", "10.0.0.0\n::1", "", "10.0.0.0/31 ::1/128 " },
	{ "10.0.0.1", "", "10.0.0.1", "" },
	{ "10.0.0.1", "", "10.0.0.2\n10.0.0.0\n::1", "10.0.0.1/32 " },
	{ "10.0.0.0/30", "", "10.0.0.2", "10.0.0.0/31 10.0.0.3/32 " },
	{ "10.0.0.0/30", "", "10.0.0.0/8", "" },
	{ "10.0.0.0/24\n10.0.2.0/24", "10.0.1.0/24", "10.0.0.128/25\n10.0.2.0/23",
	  "10.0.0.0/25 10.0.1.0/24 " },
	{ "0.0.0.0/0", "", "0.0.0.0\n255.255.255.255\n64.0.0.0/2\n128.0.0.0/2\n192.0.0.0/3",
	  "0.0.0.1/32 0.0.0.2/31 0.0.0.4/30 0.0.0.8/29 0.0.0.16/28 0.0.0.32/27 0.0.0.64/26 "
	  "0.0.0.128/25 0.0.1.0/24 0.0.2.0/23 0.0.4.0/22 0.0.8.0/21 0.0.16.0/20 0.0.32.0/19 "
	  "0.0.64.0/18 0.0.128.0/17 0.1.0.0/16 0.2.0.0/15 0.4.0.0/14 0.8.0.0/13 0.16.0.0/12 "
	  "0.32.0.0/11 0.64.0.0/10 0.128.0.0/9 1.0.0.0/8 2.0.0.0/7 4.0.0.0/6 8.0.0.0/5 "
	  "16.0.0.0/4 32.0.0.0/3 224.0.0.0/4 240.0.0.0/5 248.0.0.0/6 252.0.0.0/7 254.0.0.0/8 "
	  "255.0.0.0/9 255.128.0.0/10 255.192.0.0/11 255.224.0.0/12 255.240.0.0/13 "
	  "255.248.0.0/14 255.252.0.0/15 255.254.0.0/16 255.255.0.0/17 255.255.128.0/18 "
	  "255.255.192.0/19 255.255.224.0/20 255.255.240.0/21 255.255.248.0/22 "
	  "255.255.252.0/23 255.255.254.0/24 255.255.255.0/25 255.255.255.128/26 "
	  "255.255.255.192/27 255.255.255.224/28 255.255.255.240/29 255.255.255.248/30 "
	  "255.255.255.252/31 255.255.255.254/32 " },
	{ "::/0", "", "8000::/1\n4000::/2\n::/2", "" },
	{ "2001:db8::/126", "2001:db8::4/126", "2001:db8::7",
	  "2001:db8::/126 2001:db8::4/127 "
	  "2001:db8::6/128 " },
};

START_TEST(sets_are_changed)
{
	static const char wrong_add[] = "10.9.9.9\nx", wrong_gone[] = "0.0.0.0/0\n::/0\nx";
	struct filter_set s = { 0 };
	struct diag diag = { 0 };
	char text[2000];
	const char *add = changes[_i].add, *gone = changes[_i].remove;

	ck_assert_int_eq(set_parse(&s, changes[_i].set, strlen(changes[_i].set), &diag), 0);
	ck_assert_int_eq(set_add(&s, add, strlen(add), &diag), 0);
	ck_assert_int_eq(set_remove(&s, gone, strlen(gone), &diag), 0);
	print_set(&s, text, sizeof(text));
	ck_assert_str_eq(text, changes[_i].left);
	/* A change with an error leaves the set unchanged. */
	ck_assert_int_eq(set_add(&s, wrong_add, strlen(wrong_add), &diag), -EINVAL);
	ck_assert_int_eq(set_remove(&s, wrong_gone, strlen(wrong_gone), &diag), -EINVAL);
	ck_assert_int_eq(strncmp(diag.msg, "3:1: ", 5), 0);
	print_set(&s, text, sizeof(text));
	ck_assert_str_eq(text, changes[_i].left);
	set_close(&s);
}
END_TEST

static void random_text(struct buf *text, int family)
{
	size_t len = family ? 16 : 4;

	buf_clear(text);
	for (uint32_t n = draw(LINES_MAX); n--;) {
		char word[INET6_ADDRSTRLEN];
		uint8_t addr[16], bits = random_prefix(addr, len);

		inet_ntop(family ? AF_INET6 : AF_INET, addr, word, sizeof(word));
		buf_printf(text, "%s/%u\n", word, bits);
	}
}

/* Union and difference of random sets. */
START_TEST(union_and_difference_are_exact)
{
	size_t len = _i ? 16 : 4;
	uint8_t addrs = _i ? 6 : 4;

	for (int round = 0; round < ROUNDS; round++) {
		struct filter_set a = { 0 }, b = { 0 }, sum = { 0 }, left = { 0 };
		struct diag diag = { 0 };
		struct buf text = { 0 };

		random_text(&text, _i);
		ck_assert_int_eq(set_parse(&a, text.data, text.len, &diag), 0);
		ck_assert_int_eq(set_parse(&sum, text.data, text.len, &diag), 0);
		ck_assert_int_eq(set_parse(&left, text.data, text.len, &diag), 0);
		random_text(&text, _i);
		ck_assert_int_eq(set_parse(&b, text.data, text.len, &diag), 0);
		ck_assert_int_eq(set_add(&sum, text.data, text.len, &diag), 0);
		ck_assert_int_eq(set_remove(&left, text.data, text.len, &diag), 0);
		for (int k = 0; k < QUERIES; k++) {
			uint8_t addr[16];
			bool in_a, in_b;

			memset(addr, 0x20, sizeof(addr));
			addr[len - 2] = (uint8_t)draw(4);
			addr[len - 1] = (uint8_t)draw(256);
			in_a = set_contains(&a, addrs, addr);
			in_b = set_contains(&b, addrs, addr);
			ck_assert_int_eq(set_contains(&sum, addrs, addr), in_a || in_b);
			ck_assert_int_eq(set_contains(&left, addrs, addr), in_a && !in_b);
		}
		set_close(&a);
		set_close(&b);
		set_close(&sum);
		set_close(&left);
		buf_free(&text);
	}
}
END_TEST

Suite *set_suite(void)
{
	Suite *s = suite_create("set");
	TCase *t = tcase_create("set");

	tcase_add_loop_test(t, sets_are_normalized, 0, ARRAY_LEN(texts));
	tcase_add_loop_test(t, errors_have_positions, 0, ARRAY_LEN(wrong));
	tcase_add_test(t, zero_bytes_are_refused);
	tcase_add_loop_test(t, sets_are_changed, 0, ARRAY_LEN(changes));
	tcase_add_loop_test(t, union_and_difference_are_exact, 0, SET_FAMILIES);
	tcase_add_loop_test(t, sets_match_their_lines, 0, SET_FAMILIES);
	suite_add_tcase(s, t);
	return s;
}
